"""The site map."""

from django.contrib import admin
from django.urls import include, path

from helpdesk import console, job_views, mail_events_views, mail_previews, outbox_views, pages, site_views
from tickets import api_docs
from tickets.report_api import api

urlpatterns = [
    path("", pages.home, name="home"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
    path("site/logo", site_views.logo, name="site_logo"),
    path("site/colours.css", site_views.colours, name="site_colours"),
    path("mail/ses/events/", mail_events_views.ses, name="mail_events_ses"),
    path("i18n/setlang/", pages.set_language, name="set_language"),
    path("", include("tickets.urls")),
    path("api/docs", api_docs.docs, name="api_docs"),
    path("api/", api.urls),
    path("", include("docs.urls")),
    path("", include("awsint.urls")),
    path("", include("oncall.urls")),
    path("", include("helpdesk.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("console/", console.console, name="console"),
    path("console/mails/", mail_previews.mails, name="console_mails"),
    path("console/mails/<str:kind>/", mail_previews.mails, name="console_mail"),
    path("console/mails/<str:kind>/html", mail_previews.mail_html, name="console_mail_html"),
    path("console/outbox/", outbox_views.outbox, name="console_outbox"),
    path("console/outbox/<int:letter>/", outbox_views.letter, name="console_letter"),
    path("console/outbox/<int:letter>/retry", outbox_views.retry, name="console_letter_retry"),
    path("console/outbox/<int:letter>/cancel", outbox_views.cancel, name="console_letter_cancel"),
    path("console/outbox/<int:letter>/trust", outbox_views.trust, name="console_letter_trust"),
    path("console/outbox/caught/", outbox_views.mails, name="console_caught"),
    path("console/outbox/caught/<str:mail>/", outbox_views.mail, name="console_caught_mail"),
    path("console/outbox/caught/<str:mail>/html", outbox_views.mail_html, name="console_caught_html"),
    path("console/outbox/caught/<str:mail>/source", outbox_views.mail_source, name="console_caught_source"),
    path("jobs/<uuid:public>/", job_views.job, name="job"),
    path("jobs/<uuid:public>/retry", job_views.retry, name="job_retry"),
    path("admin/", admin.site.urls),
]

handler400 = "helpdesk.pages.bad_request"
handler403 = "helpdesk.pages.forbidden"
handler404 = "helpdesk.pages.not_found"
handler500 = "helpdesk.pages.server_error"
