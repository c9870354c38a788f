"""Makes users exist on a cluster, with nothing but Python: safe to run again, bounded in time.

    python3 users.py [--cluster demo-ehpc] [NAME ...]

HPC_GATEWAY_URL names the gateway, HPC_GATEWAY_KEY an API key for it, USER_PASSWORD the password of new users.
"""
import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = (os.environ.get("HPC_GATEWAY_URL") or "http://127.0.0.1:8080").rstrip("/")
KEY = os.environ.get("HPC_GATEWAY_KEY")
PASSWORD = os.environ.get("USER_PASSWORD", "Choose@Your0wn")
ATTEMPTS = 5


class Problem(Exception):
    """What the gateway refused (RFC 9457); `code` is stable."""

    def __init__(self, problem, retry_after):
        super().__init__(problem["detail"])
        self.code, self.retryable, self.retry_after = problem["code"], problem["retryable"], retry_after


def send(method, path, body=None, headers=None):
    """One request and its JSON answer, None where it has no body."""
    request = urllib.request.Request(URL + path, method=method, headers=dict(headers or {}))
    if KEY:
        request.add_header("authorization", f"Bearer {KEY}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        if error.headers.get_content_type() != "application/problem+json":
            raise
        raise Problem(json.load(error), int(error.headers.get("retry-after", "1"))) from None


def patiently(method, path, body=None, headers=None):
    """The same again while another try can succeed: ensuring a user may be repeated."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return send(method, path, body, headers)
        except Problem as problem:
            if not problem.retryable or attempt == ATTEMPTS:
                raise
            time.sleep(min(problem.retry_after, 30))


def users(cluster):
    """All users, window by window."""
    cursor = None
    while True:
        query = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = patiently("GET", f"/clusters/{cluster}/users?{urllib.parse.urlencode(query)}")
        yield from page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


def main():
    parser = argparse.ArgumentParser(description="Makes users exist on a cluster.")
    parser.add_argument("--cluster", default="demo-ehpc")
    parser.add_argument("names", nargs="*", default=["python01", "python02"])
    asked = parser.parse_args()
    cluster = urllib.parse.quote(asked.cluster, safe="")
    for name in asked.names:
        user = patiently("PUT", f"/clusters/{cluster}/users/{urllib.parse.quote(name, safe='')}", {"role": "member", "password": PASSWORD})
        print(f"{user['username']}: {user['role']}, uid {user['uid']}")
    print(f"{sum(1 for _ in users(cluster))} users on {asked.cluster}")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"{problem.code}: {problem}")
    except urllib.error.URLError as error:
        sys.exit(f"The gateway at {URL} cannot be reached: {error.reason}")
