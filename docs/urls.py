from django.urls import path

from docs import calendar_views, sla_views, version_views, views, what_if_views

urlpatterns = [
    path("docs/", views.index, name="docs"),
    path("docs/<str:document>", views.document, name="document"),
    path("sla-config", sla_views.sla_config, name="sla_config"),
    path("sla-config/calendars", calendar_views.calendars, name="sla_calendars"),
    path("sla-config/what-if", what_if_views.what_if, name="sla_what_if"),
    path("sla-config/history", version_views.history, name="sla_history"),
    path("sla-config/history/<int:number>", version_views.version, name="sla_version"),
    path("sla-config/draft", sla_views.draft, name="sla_draft"),
    path("sla-config/submit", sla_views.submit, name="sla_submit"),
    path("sla-config/give-back", sla_views.give_back, name="sla_give_back"),
    path("sla-config/discard", sla_views.discard, name="sla_discard"),
    path("sla-config/publish", sla_views.publish, name="sla_publish"),
]
