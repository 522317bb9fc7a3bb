"""How the web server serves: ``gunicorn -c python:config.gunicorn config.wsgi``; its command line wins."""

import os

worker_class = "gthread"
workers = 2
threads = 8
accesslog = "-"
logger_class = "config.access_log.AccessLog"
# Whoever asks is told within two seconds that there is no database; a worker has more patience.
raw_env = [f"DATABASE_WAIT_SECONDS={os.environ.get('DATABASE_WAIT_SECONDS', '1.0')}"]
control_socket_disable = True  # it would lie in the user's home, one for all services there
