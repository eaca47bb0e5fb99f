from django.apps import AppConfig


class AwsintConfig(AppConfig):
    name = "awsint"
    verbose_name = "AWS"
