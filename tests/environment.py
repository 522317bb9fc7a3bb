"""The settings of the test session, loaded by pytest before pytest-django reads `config.settings`.

With DATABASE_URL set the settings demand some of these, and a developer's `.env` may hold anything: tests
have their own. So have each process's keys in Redis: tests may run side by side, and beside a demo.
"""

import os

DEMANDED = {
    "SECRET_KEY": "tests-only-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz",
    "JWT_KEY": "tests-only-jwt-key-0123456789-abcdefghijklmnopqrstuvwxyz-AB",
    "ENCRYPTION_KEYS": "dGVzdHMtb25seS10b2tlbnMta2V5LTAxMjM0NTY3ODk=",
    "ALLOWED_HOSTS": "localhost",
}
for _name, _value in DEMANDED.items():
    os.environ[_name] = os.environ.get(_name) or _value
os.environ["PAGE_LANGUAGE"] = "en"  # what is asserted of pages is in English, but where Russian is the matter
os.environ["REDIS_PREFIX"] = f"quiz-crm-tests-{os.getpid()}:"
