"""The section AWS."""

from django.urls import path

from awsint import account_views

urlpatterns = [
    path("aws/", account_views.home, name="aws"),
    path("aws/accounts/", account_views.accounts, name="aws_accounts"),
    path("aws/accounts/new", account_views.new_account, name="aws_account_new"),
    path("aws/accounts/<int:account>/", account_views.account, name="aws_account"),
    path("aws/accounts/<int:account>/edit", account_views.edit_account, name="aws_account_edit"),
    path("aws/accounts/<int:account>/deactivate", account_views.deactivate, name="aws_account_deactivate"),
    path("aws/accounts/<int:account>/activate", account_views.activate, name="aws_account_activate"),
    path("aws/accounts/<int:account>/external-id", account_views.rotate, name="aws_account_rotate"),
    path("aws/accounts/<int:account>/notice", account_views.notice, name="aws_account_notice"),
]
