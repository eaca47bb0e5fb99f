"""The site map of people: one's own account, everybody's, and the way in.

Stands before allauth's: what allauth offers and the desk does not is closed here.
"""

from django.urls import path, re_path

from helpdesk.accounts import company_views, key_views, preference_views, views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/preferences", preference_views.preferences, name="preferences"),
    path("account/keys", key_views.api_keys, name="api_keys"),
    path("account/keys/<int:pk>/revoke", key_views.revoke_api_key, name="api_key_revoke"),
    path("people/", views.people, name="people"),
    path("people/invite", views.invite, name="invite"),
    path("people/invitations/<int:pk>/revoke", views.revoke, name="invitation_revoke"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/deactivate", views.deactivate, name="person_deactivate"),
    path("people/<int:pk>/activate", views.activate, name="person_activate"),
    path("people/<int:pk>/role", views.role, name="person_role"),
    path("people/<int:pk>/membership", views.membership, name="person_membership"),
    path("people/<int:pk>/second-factor", views.second_factor, name="person_second_factor"),
    path("company/", company_views.companies_of, name="companies"),
    path("company/<uuid:pk>/", company_views.people, name="company"),
    path("company/<uuid:pk>/share", company_views.share, name="company_share"),
    path("company/<uuid:pk>/invite", company_views.invite, name="company_invite"),
    path("company/<uuid:pk>/invitations/<int:number>/revoke", company_views.revoke, name="company_revoke"),
    path("company/<uuid:pk>/people/<int:number>/role", company_views.role, name="company_role"),
    path("company/<uuid:pk>/people/<int:number>/deactivate", company_views.deactivate, name="company_deactivate"),
    path("company/<uuid:pk>/people/<int:number>/activate", company_views.activate, name="company_activate"),
    path("invitation/<str:token>", views.invitation, name="invitation"),
    # A login address is changed by an administrator, and there are no codes by mail.
    re_path(r"^accounts/(email|confirm-email|password/set|login/code/confirm)/", views.not_offered, name="not_offered"),
]
