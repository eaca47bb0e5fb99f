from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "helpdesk.jobs"
    label = "jobs"
