"""What a password must be, in our own words: Django's are not all translated, and none says how to mend it."""

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class LongEnough(MinimumLengthValidator):
    def get_error_message(self) -> str:
        return ngettext(
            "Too short: choose %(least)s character or more.",
            "Too short: choose %(least)s characters or more.",
            self.min_length,
        ) % {"least": self.min_length}


class Uncommon(CommonPasswordValidator):
    def get_error_message(self) -> str:
        return _("This password stands in every list of passwords. Choose one that nobody else has.")


class UnlikeOneself(UserAttributeSimilarityValidator):
    def get_error_message(self) -> str:
        return _("This password is too much like your name or address. Choose another.")
