"""Rows that are only ever added: the model refuses, and a trigger on each of their tables does."""

from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model, covariant=True)


class KeptQuerySet(models.QuerySet[M]):
    """Rows that are only ever added."""

    def update(self, **columns: Any) -> int:
        raise TypeError(f"{self.model.__name__} rows are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{self.model.__name__} rows are never removed")


class Kept(models.Model):
    """A row that is only ever added; a trigger sees to it as well (migrations/0003)."""

    objects = KeptQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{type(self).__name__} rows are never removed")
