"""Every door of the desk and who may pass it: the table behind T-01.

A route is named by its pattern. `who` lists the viewers that get an answer (`answers`); everybody else meets a 404, so
that nothing is given away, and a stranger the login page. Public routes say why. A route that is missing here fails the
tests; a key that ends in "*" stands for a folder of somebody else's pages (`elsewhere` names the test that covers it).
"""

from dataclasses import dataclass, field

ANYBODY = ("stranger", "cora", "cody", "carla", "gus", "dora", "ana", "lee", "ada", "audrey")
PEOPLE = ANYBODY[1:]
DESK = ("ana", "lee", "ada")
CUSTOMERS = ("cora", "cody", "carla", "gus", "dora")
TICKETS = (*CUSTOMERS, *DESK)
OPERATORS = ("lee", "ada")
ADMINS = ("ada",)
ACME_ADMINS = ("carla", "dora")
REGISTER = (*ACME_ADMINS, *DESK, "audrey")
# Whoever has a report: the desk, the auditor, and a company's administrators for their company.
REPORTED = (*ACME_ADMINS, *DESK, "audrey")
# Who may see a ticket that Cora of Acme filed, and one that Gus of Globex filed.
OF_CORA = ("cora", "carla", "dora", *DESK)
OF_GUS = ("gus", *DESK)


@dataclass(frozen=True)
class Route:
    who: tuple[str, ...]
    method: str = "get"
    why_public: str = ""
    data: dict[str, str] = field(default_factory=dict)
    answers: tuple[int, ...] = (200, 302)
    elsewhere: str = ""
    own_policy: bool = False
    writes: bool = False
    # May lie in a cache: it is the same for everybody and holds nothing of anybody.
    kept: bool = False


# A form sent empty: refused with its errors, or too old; never a trace, never done.
SENT = (200, 302, 303, 409, 422)


def public(why: str, method: str = "get", **more: object) -> Route:
    return Route(ANYBODY, method, why, **more)  # type: ignore[arg-type]


def sent(*who: str) -> Route:
    return Route(who, "post", answers=SENT)


ROUTES: dict[str, Route] = {
    "": Route(PEOPLE),
    "healthz": public("a load balancer asks it"),
    "readyz": public("a load balancer asks it; it names processes and no data", answers=(200, 503)),
    "site/logo": public("the desk's logo stands on the login page", answers=(200, 404), kept=True),
    "site/colours.css": public("the desk's colour, for the login page too", kept=True),
    "i18n/setlang/": public("the login page has the switch too", "post"),
    "tickets/": Route(TICKETS),
    "tickets/create": Route(TICKETS),
    "tickets/preview": sent(*TICKETS),
    "tickets/similar": sent(*TICKETS),
    "tickets/bulk": Route(DESK),
    "tickets/tags": Route(DESK),
    "tickets/news": Route(DESK),
    "sla/months": Route((*ACME_ADMINS, *DESK, "audrey")),
    "sla/months/<uuid:customer>/<str:month>": Route((*ACME_ADMINS, *DESK, "audrey")),
    "sla/months/<uuid:customer>/<str:month>/xlsx": Route((*ACME_ADMINS, *DESK, "audrey")),
    "sla/months/<uuid:customer>/<str:month>/pdf": Route((), elsewhere="tests/tickets/test_months.py: once frozen"),
    "sla/credits": Route((*ACME_ADMINS, *DESK, "audrey")),
    "sla/credits/<int:pk>/settle": Route((), "post", elsewhere="tests/tickets/test_months.py: needs a credit"),
    "sla/breaches": Route(REGISTER),
    "sla/breaches.<str:form>": Route(REGISTER),
    "sla/breaches/<int:breach>": Route((), elsewhere="tests/tickets/test_register.py: needs a breach"),
    "sla/breaches/<int:breach>/explain": Route((), elsewhere="tests/tickets/test_register.py"),
    "sla/breaches/<int:breach>/propose": Route((), elsewhere="tests/tickets/test_register.py"),
    "sla/breaches/<int:breach>/approve": Route((), elsewhere="tests/tickets/test_register.py"),
    "sla/breaches/<int:breach>/decline": Route((), elsewhere="tests/tickets/test_register.py"),
    "sla/pauses": Route((*OPERATORS, "audrey")),
    "sla/pauses/<int:pause>": Route((), elsewhere="tests/tickets/test_pauses.py: needs a pause"),
    "canned/": Route(DESK),
    "canned/new": Route(DESK),
    "canned/<int:pk>/": Route((), elsewhere="tests/tickets/test_canned.py: one's own, or a lead's"),
    "canned/<int:pk>/delete": Route((), elsewhere="tests/tickets/test_canned.py"),
    "tickets/<str:ref>/": Route(TICKETS),
    "tickets/<str:ref>/why/<str:kind>": Route(TICKETS),
    "tickets/<str:ref>/canned": Route(DESK),
    "tickets/<str:ref>/canned/<int:pk>": Route((), elsewhere="tests/tickets/test_canned.py"),
    "tickets/<str:ref>/next": Route(DESK),
    "tickets/<str:ref>/previous": Route(DESK),
    "tickets/<str:ref>/presence": sent(*DESK),
    "tickets/<str:ref>/draft": sent(*TICKETS),
    "tickets/files": Route(TICKETS, "post", answers=(201, 415)),
    "tickets/files/<uuid:file>/remove": Route((), "post"),
    "tickets/<str:ref>/files/<uuid:file>/": Route(TICKETS),
    "tickets/<str:ref>/files/<uuid:file>/preview/<int:page>": Route(TICKETS),
    "tickets/<str:ref>/files/<uuid:file>/<str:name>": Route(TICKETS),
    "tickets/<str:ref>/reply": sent(*TICKETS),
    "tickets/<str:ref>/undo": sent(*DESK),
    "tickets/<str:ref>/release": sent(*DESK),
    "tickets/<str:ref>/note": sent(*DESK),
    "tickets/<str:ref>/start": sent(*DESK),
    "tickets/<str:ref>/ask": sent(*DESK),
    "tickets/<str:ref>/resume": sent(*DESK),
    "tickets/<str:ref>/resolve": sent(*DESK),
    "tickets/<str:ref>/close": sent(*TICKETS),
    "tickets/<str:ref>/reopen": sent(*TICKETS),
    "tickets/<str:ref>/withdraw": sent(*TICKETS),
    "tickets/<str:ref>/assign": sent(*DESK),
    "tickets/<str:ref>/classify": sent(*DESK),
    "tickets/<str:ref>/participants": sent(*TICKETS),
    "tickets/<str:ref>/participants/<int:number>/confirm": sent(*TICKETS),
    "tickets/<str:ref>/participants/<int:number>/remove": sent(*TICKETS),
    "tickets/<str:ref>/follow": sent(*DESK),
    "tickets/<str:ref>/unfollow": sent(*DESK),
    "tickets/<str:ref>/colleagues": Route(DESK),
    "tickets/<str:ref>/rate": sent(*CUSTOMERS),
    "tickets/<str:ref>/prioritise": sent(*DESK),
    "tickets/<str:ref>/link": sent(*DESK),
    "tickets/<str:ref>/unlink": sent(*DESK),
    "tickets/<str:ref>/merge": Route(DESK),
    "tickets/<str:ref>/unmerge": sent(*DESK),
    "tickets/<str:ref>/split": Route((), elsewhere="tests/tickets/test_splitting.py: needs a message of the ticket"),
    "tickets/<str:ref>/tag": sent(*DESK),
    "account/preferences": Route(PEOPLE),
    "account/keys": Route(PEOPLE[:-1]),
    "account/keys/<int:pk>/revoke": Route((), "post"),
    "api/docs": public("tells how the API is used, and nothing of what is in it"),
    "api/openapi.json": public("the same for programs"),
    "api/": Route((), elsewhere="redirects nowhere: the API has no front page"),
    "api/tickets": Route((), elsewhere="tests/tickets/test_api.py: keys, not sessions"),
    "api/tickets/<ref>": Route((), elsewhere="tests/tickets/test_api.py"),
    "api/tickets/<ref>/replies": Route((), elsewhere="tests/tickets/test_api.py"),
    "api/sla/report": Route((), elsewhere="tests/tickets/test_sla_report.py: keys, not sessions"),
    "api/sla": Route((), elsewhere="tests/docs/test_publishing.py: keys, not sessions"),
    "docs/": public("the documents are for everybody"),
    "docs/<str:document>": public("SPT-004 wants the priorities found without a login"),
    "sla/report": Route(REPORTED),
    "sla/report.csv": Route(REPORTED),
    "sla/report.xlsx": Route(REPORTED),
    "sla/report/clocks": Route(REPORTED),
    "sla/report/clocks.csv": Route(REPORTED),
    "sla/report/clocks.xlsx": Route(REPORTED),
    "sla-config": Route(PEOPLE),
    "sla-config/calendars": Route(("carla", "dora", *DESK, "audrey")),
    "sla-config/history": Route((*DESK, "audrey")),
    "sla-config/history/<int:number>": Route((), elsewhere="tests/docs/test_versions.py: everybody who is logged in"),
    "sla-config/draft": sent(*ADMINS),
    "sla-config/submit": sent(*ADMINS),
    "sla-config/give-back": sent(*ADMINS),
    "sla-config/discard": sent(*ADMINS),
    "sla-config/publish": Route(ADMINS),
    "sla-config/what-if": Route(ADMINS),
    "aws/": Route((*DESK, "audrey")),
    "aws/cases/": Route((*DESK, "audrey")),
    "aws/cases.csv": Route((*DESK, "audrey")),
    "aws/cases/report": Route((*DESK, "audrey")),
    "aws/cases/report.csv": Route((*DESK, "audrey")),
    "aws/cases/<int:case>/": Route((*DESK, "audrey")),
    "aws/cases/<int:case>/compare": Route((*DESK, "audrey"), elsewhere="tests/awsint/test_case_lists.py: it asks AWS"),
    "aws/cases/<int:case>/files/<int:file>": Route(DESK, elsewhere="tests/awsint/test_case_lists.py: needs a file"),
    "aws/cases/<int:case>/link": sent(*DESK),
    "aws/cases/<int:case>/tickets/<str:ref>/unlink": Route(DESK, elsewhere="tests/awsint/test_case_lists.py"),
    "aws/health/": Route((*DESK, "audrey")),
    "aws/health.csv": Route((*DESK, "audrey")),
    "aws/health/<int:event>/": Route((*DESK, "audrey")),
    "aws/health/<int:event>/resources.csv": Route(DESK),
    "aws/health/<int:event>/tell": Route(DESK),
    "aws/unseen": Route((*DESK, "audrey")),
    "aws/unseen/<int:communication>/seen": sent(*DESK),
    "aws/sync": Route((*DESK, "audrey")),
    "aws/sync.csv": Route((*DESK, "audrey")),
    "aws/jobs": Route((*DESK, "audrey")),
    "aws/calls": Route((*DESK, "audrey")),
    "aws/inbox": Route((*DESK, "audrey")),
    "aws/inbox/<int:message>/replay": sent(*OPERATORS),
    "aws/inbox/<int:hub>/<str:name>/fetch": sent(*OPERATORS),
    "aws/accounts/": Route((*DESK, "audrey")),
    "aws/accounts/new": Route(OPERATORS),
    "aws/accounts/<int:account>/": Route(DESK),
    "aws/accounts/<int:account>/edit": Route(OPERATORS),
    "aws/accounts/<int:account>/deactivate": sent(*OPERATORS),
    "aws/accounts/<int:account>/activate": sent(*OPERATORS),
    "aws/accounts/<int:account>/external-id": sent(*OPERATORS),
    "aws/accounts/<int:account>/test": sent(*OPERATORS),
    "aws/accounts/<int:account>/notice": sent(*OPERATORS),
    "aws/accounts/import": Route(OPERATORS),
    "aws/accounts/<int:account>/template": Route(OPERATORS),
    "aws/organizations/": Route(OPERATORS),
    "aws/organizations/new": Route(OPERATORS),
    "aws/organizations/<int:organization>/": Route(OPERATORS),
    "aws/organizations/<int:organization>/edit": Route(OPERATORS),
    "aws/organizations/<int:organization>/external-id": sent(*OPERATORS),
    "aws/organizations/<int:organization>/template": Route(OPERATORS),
    "aws/organizations/<int:organization>/list": sent(*OPERATORS),
    "aws/organizations/<int:organization>/import": sent(*OPERATORS),
    # They ask AWS: the test that covers them brings one.
    "aws/tickets/<str:ref>/open": Route(DESK, elsewhere="tests/awsint/test_case_pages.py"),
    "aws/tickets/<str:ref>/cases/<int:case>/answer": Route(DESK, elsewhere="tests/awsint/test_case_pages.py"),
    "aws/tickets/<str:ref>/cases/<int:case>/resolve": Route(DESK, elsewhere="tests/awsint/test_case_pages.py"),
    "aws/tickets/<str:ref>/relay": Route(DESK, elsewhere="tests/awsint/test_relay.py"),
    "aws/tickets/<str:ref>/relay/<int:communication>": Route(DESK, elsewhere="tests/awsint/test_relay.py"),
    "aws/hubs/": Route(OPERATORS),
    "aws/hubs/<str:partition>/": Route(OPERATORS),
    "aws/hubs/<str:partition>/template": Route(OPERATORS),
    "console/": Route(OPERATORS),
    "console/mails/": Route(OPERATORS, own_policy=True),
    "console/mails/<str:kind>/": Route((), elsewhere="tests/outbox/test_previews.py: needs a kind of letter"),
    "console/mails/<str:kind>/html": Route((), elsewhere="tests/outbox/test_previews.py"),
    "console/outbox/": Route(OPERATORS),
    "console/outbox/<int:letter>/": Route(OPERATORS),
    "console/outbox/<int:letter>/retry": sent(*OPERATORS),
    "console/outbox/<int:letter>/cancel": sent(*OPERATORS),
    "console/outbox/caught/": Route(OPERATORS),
    "console/outbox/caught/<str:mail>/": Route(OPERATORS),
    "console/outbox/caught/<str:mail>/html": Route(OPERATORS, own_policy=True),
    "console/outbox/caught/<str:mail>/source": Route(ADMINS),
    "jobs/<uuid:public>/": Route((), elsewhere="tests/helpdesk/test_jobs.py: the asker's, or by the right of its kind"),
    "jobs/<uuid:public>/retry": Route((), "post", elsewhere="tests/helpdesk/test_jobs.py"),
    "account/": Route(PEOPLE),
    "people/": Route(OPERATORS),
    "people/invite": Route(OPERATORS),
    "people/invitations/<int:pk>/revoke": Route((), "post"),
    "people/<int:pk>/": Route(OPERATORS),
    "people/<int:engineer>/work/": Route(DESK),
    "people/<int:engineer>/work/settings": sent(*OPERATORS),
    "people/<int:engineer>/work/leave": sent(*DESK),
    "people/<int:engineer>/work/leave/<int:leave>/end": Route((), "post", elsewhere="tests/oncall/test_work.py"),
    "people/<int:engineer>/work/team": sent(*OPERATORS),
    "people/<int:engineer>/work/team/<uuid:customer>/leave": sent(*OPERATORS),
    "people/<int:pk>/deactivate": sent(*OPERATORS),
    "people/<int:pk>/activate": sent(*OPERATORS),
    "people/<int:pk>/role": sent(*ADMINS),
    "people/<int:pk>/membership": sent(*OPERATORS),
    "people/<int:pk>/second-factor": sent(*ADMINS),
    "company/": Route(ACME_ADMINS),
    "company/<uuid:pk>/": Route(ACME_ADMINS),
    "company/<uuid:pk>/share": sent(*ACME_ADMINS),
    "company/<uuid:pk>/invite": Route(ACME_ADMINS),
    "company/<uuid:pk>/invitations/<int:number>/revoke": Route((), "post"),
    "company/<uuid:pk>/people/<int:number>/role": sent(*ACME_ADMINS),
    "company/<uuid:pk>/people/<int:number>/deactivate": sent(*ACME_ADMINS),
    "company/<uuid:pk>/people/<int:number>/activate": Route((), "post"),
    "invitation/<str:token>": Route((), why_public="a wrong link leads nowhere"),
    "^accounts/(email|confirm-email|password/set|login/code/confirm)/": Route((), elsewhere="the four rows below"),
    "accounts/email/": Route(()),
    "accounts/confirm-email/": Route(()),
    "accounts/password/set/": Route(()),
    "accounts/login/code/confirm/": Route(()),
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": Route((), elsewhere="the row of confirm-email"),
    "accounts/login/": public("the way in"),
    "accounts/logout/": public("leaving twice does no harm"),
    "accounts/inactive/": public("says that an account is deactivated"),
    "accounts/signup/": public("says that one is invited"),
    "accounts/reauthenticate/": Route(PEOPLE, answers=(200, 302, 403)),
    "accounts/password/change/": Route(PEOPLE),
    "accounts/password/reset/": public("for those who forgot their password"),
    "accounts/password/reset/done/": public("says the same whether the address is known or not"),
    "accounts/password/reset/key/done/": public("says that the new password is set"),
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": public(
        "the way in of a reset letter", elsewhere="tests/accounts: tokens"
    ),
    "accounts/2fa/": Route(PEOPLE),
    "accounts/2fa/authenticate/": public("the second step of a login; without a first it leads to the first"),
    "accounts/2fa/reauthenticate/": Route(PEOPLE, answers=(200, 302, 403)),
    "accounts/2fa/totp/activate/": Route(PEOPLE),
    "accounts/2fa/totp/deactivate/": Route((*PEOPLE,), answers=(200, 302, 404)),
    "accounts/2fa/recovery-codes/": Route(PEOPLE, answers=(200, 302, 404)),
    "accounts/2fa/recovery-codes/generate/": Route(PEOPLE, answers=(200, 302, 404)),
    "accounts/2fa/recovery-codes/download/": Route(PEOPLE, answers=(200, 302, 404)),
    "accounts/2fa/webauthn/": Route(PEOPLE),
    "accounts/2fa/webauthn/add/": Route(PEOPLE),
    "accounts/2fa/webauthn/reauthenticate/": Route(PEOPLE, answers=(200, 302, 400, 403, 404, 405)),
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": Route(PEOPLE, answers=(302, 404)),
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": Route(PEOPLE, answers=(302, 404)),
    "accounts/2fa/webauthn/login/": public("the first step of a login with a passkey: a challenge, no data"),
    "accounts/sessions/": Route(PEOPLE),
    "admin/*": Route(ADMINS, elsewhere="tests/accounts: the admin is for administrators"),
}
