"""The demo: everything a running service consists of, and a quiz service that uses it from outside.

stage.py      a database, ports and secrets of its own; nothing of a real installation is touched
children.py   the processes: started together, watched, stopped together
cast.py       who runs: sandboxes, web, worker, beat
browser.py    a person's browser at a consent page
service.py    the quiz service at our REST API
answers.py    what people answered
scenario.py   what differs from CRM to CRM, in a file each
keys.py       those that are connected by keys
story.py      connect, sync, save rules, post answers, wait
proof.py      reading the leads back out of the sandboxes and judging them
report.py     what is printed
"""
