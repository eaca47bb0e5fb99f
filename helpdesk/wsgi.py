"""What the web server calls."""

import os

from django.core.wsgi import get_wsgi_application

from helpdesk.checks import refuse_half_configured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
refuse_half_configured()
application = get_wsgi_application()
