"""The site map of colleagues' work."""

from django.urls import path

from oncall import views

urlpatterns = [
    path("people/<int:engineer>/work/", views.work, name="work"),
    path("people/<int:engineer>/work/settings", views.settings, name="work_settings"),
    path("people/<int:engineer>/work/leave", views.leave, name="work_leave"),
    path("people/<int:engineer>/work/leave/<int:leave>/end", views.end_leave, name="work_leave_end"),
    path("people/<int:engineer>/work/team", views.team, name="work_team"),
    path("people/<int:engineer>/work/team/<uuid:customer>/leave", views.leave_team, name="work_team_leave"),
]
