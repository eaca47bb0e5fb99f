# The desk in one image: web, worker and the commands. See docker-compose.yml.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /desk

# Packages first: they change less often than the desk. The simulator of AWS is none of them.
COPY requirements-image.lock .
RUN pip install --require-hashes -r requirements-image.lock

COPY . .
# The sources belong to root and are only read; what the desk writes lies in /data.
RUN useradd --system --uid 10001 desk && mkdir /data && chown desk /data
ENV HELPDESK_DATA=/data
VOLUME /data
USER desk

EXPOSE 8000
CMD ["gunicorn", "-c", "python:helpdesk.gunicorn_conf", "-b", "0.0.0.0:8000", "helpdesk.wsgi"]
