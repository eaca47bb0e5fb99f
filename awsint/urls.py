"""The section AWS."""

from django.urls import path

from awsint import (
    account_views,
    calls_views,
    case_views,
    hub_views,
    import_views,
    inbox_views,
    organization_views,
    rounds_views,
    sync_views,
    unseen_views,
)

urlpatterns = [
    path("aws/", account_views.home, name="aws"),
    path("aws/accounts/", account_views.accounts, name="aws_accounts"),
    path("aws/accounts/new", account_views.new_account, name="aws_account_new"),
    path("aws/accounts/import", import_views.import_accounts, name="aws_account_import"),
    path("aws/accounts/<int:account>/", account_views.account, name="aws_account"),
    path("aws/accounts/<int:account>/edit", account_views.edit_account, name="aws_account_edit"),
    path("aws/accounts/<int:account>/deactivate", account_views.deactivate, name="aws_account_deactivate"),
    path("aws/accounts/<int:account>/activate", account_views.activate, name="aws_account_activate"),
    path("aws/accounts/<int:account>/external-id", account_views.rotate, name="aws_account_rotate"),
    path("aws/accounts/<int:account>/test", account_views.test, name="aws_account_test"),
    path("aws/accounts/<int:account>/notice", account_views.notice, name="aws_account_notice"),
    path("aws/accounts/<int:account>/template", account_views.template, name="aws_account_template"),
    path("aws/organizations/", organization_views.organizations, name="aws_organizations"),
    path("aws/organizations/new", organization_views.new_organization, name="aws_organization_new"),
    path("aws/organizations/<int:organization>/", organization_views.organization, name="aws_organization"),
    path("aws/organizations/<int:organization>/edit", organization_views.edit, name="aws_organization_edit"),
    path("aws/organizations/<int:organization>/external-id", organization_views.rotate, name="aws_organization_rotate"),
    path(
        "aws/organizations/<int:organization>/template", organization_views.template, name="aws_organization_template"
    ),
    path("aws/organizations/<int:organization>/list", organization_views.list_members, name="aws_organization_list"),
    path("aws/organizations/<int:organization>/import", organization_views.connect, name="aws_organization_import"),
    path("aws/tickets/<str:ref>/open", case_views.open_case, name="aws_open"),
    path("aws/tickets/<str:ref>/cases/<int:case>/answer", case_views.answer, name="aws_answer"),
    path("aws/tickets/<str:ref>/cases/<int:case>/resolve", case_views.resolve, name="aws_resolve"),
    path("aws/hubs/", hub_views.hubs, name="aws_hubs"),
    path("aws/hubs/<str:partition>/", hub_views.hub, name="aws_hub"),
    path("aws/hubs/<str:partition>/template", hub_views.template, name="aws_hub_template"),
    path("aws/unseen", unseen_views.unseen, name="aws_unseen"),
    path("aws/unseen/<int:communication>/seen", unseen_views.see, name="aws_see"),
    path("aws/sync", sync_views.sync, name="aws_sync"),
    path("aws/sync.csv", sync_views.sync_csv, name="aws_sync_csv"),
    path("aws/jobs", rounds_views.jobs, name="aws_jobs"),
    path("aws/calls", calls_views.calls, name="aws_calls"),
    path("aws/inbox", inbox_views.inbox, name="aws_inbox"),
    path("aws/inbox/<int:message>/replay", inbox_views.replay, name="aws_replay"),
    path("aws/inbox/<int:hub>/<str:name>/fetch", inbox_views.fetch_dead, name="aws_fetch_dead"),
]
