"""How the web server serves: ``gunicorn -c python:config.gunicorn config.wsgi``; its command line wins."""

worker_class = "gthread"
workers = 2
threads = 8
accesslog = "-"
logger_class = "config.access_log.AccessLog"
control_socket_disable = True  # it would lie in the user's home, one for all services there
