"""The demo: everything a running service consists of, and a quiz service that uses it from outside.

environment.py  a database, ports and secrets of its own; nothing of a real installation is touched
children.py     child processes: started together, watched, stopped together
processes.py    which ones: the local CRMs, web, worker, beat
http.py         requests, and the local CRMs' control
browser.py      a person's browser at a consent page
service.py      the quiz service at our REST API
answers.py      what people answered
scenario.py     what differs from CRM to CRM, in a file each
keys.py         those that are connected by keys
run.py          connect, sync, save rules, post answers, wait
verify.py       reading the leads back out of the local CRMs and judging them
report.py       what is printed
"""
