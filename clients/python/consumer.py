"""What a Python program does with the generated client. Run it with the URL of the demo."""

import json
import sys
import uuid
from datetime import datetime, timedelta, timezone

from hpc_gateway import (
    ApiClient,
    ApiException,
    BatchItem,
    BatchRequest,
    Configuration,
    OperationRequest,
    OperationsApi,
    UserCreate,
    UsersApi,
)

CLUSTERS = ["demo-ehpc", "demo-shanhe"]
PASSWORD = "Choose@Your0wn"


def expect(what, actual, expected):
    if actual != expected:
        sys.exit(f"failed: {what}: expected {expected!r}, got {actual!r}")


def problem_of(call):
    """The problem that a call is answered with."""
    try:
        call()
    except ApiException as error:
        problem = json.loads(error.body)
        expect("the status in the problem", problem["status"], error.status)
        return error.status, problem["code"]
    sys.exit("failed: a mistake was not refused")


def new_user(username):
    return UserCreate(username=username, password=PASSWORD)


def list_all(users, cluster):
    page = users.list_users(cluster, limit=40)
    items, total = page.items, page.total
    while page.next_cursor is not None:
        page = users.list_users(cluster, limit=40, cursor=page.next_cursor)
        items = items + page.items
    expect("users on all pages", len(items), total)
    return items


def main(url):
    client = ApiClient(Configuration(host=url))
    users, operations = UsersApi(client), OperationsApi(client)

    first = {cluster: list_all(users, cluster)[0] for cluster in CLUSTERS}
    print("ok list")

    for cluster, user in first.items():
        expect("the user", users.get_user(cluster, user.username), user)
    print("ok get")

    for cluster in CLUSTERS:
        user = users.create_user(cluster, new_user("pyhpc1"))
        expect("the new user", (user.cluster_id, user.username, user.role), (cluster, "pyhpc1", "member"))
    print("ok create")

    for cluster in CLUSTERS:
        taken = problem_of(lambda: users.create_user(cluster, new_user("pyhpc1")))
        expect("a name that is taken", taken, (409, "user_already_exists"))
        bad = problem_of(lambda: users.create_user(cluster, new_user("not a name")))
        expect("a bad name", bad, (422, "invalid_user"))
        unknown = problem_of(lambda: users.get_user(cluster, "pynobody"))
        expect("an unknown user", unknown, (404, "user_not_found"))
    print("ok problems")

    for cluster in CLUSTERS:
        items = [BatchItem(op="create", username=name, password=PASSWORD) for name in ("pyhpc2", "not a name")]
        answer = users.batch_users(cluster, BatchRequest(items=items))
        expect("the results", [result.status for result in answer.results], ["created", "refused"])
        expect("the refusal", answer.results[1].problem.code, "invalid_user")
    print("ok batch")

    for cluster in CLUSTERS:
        items = [BatchItem(op="create", username="pyhpc3", password=PASSWORD)]
        operation = operations.start_operation(cluster, OperationRequest(items=items))
        while not operation.done:
            operation = operations.get_operation(operation.id, prefer="wait=5")
        expect("the state", operation.state, "succeeded")
        expect("the result", operation.results[0].status, "created")
        midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        listed = operations.list_operations(cluster_id=cluster, _from=midnight - timedelta(days=1), limit=200)
        expect("the operation in the list", operation.id in [one.id for one in listed.items], True)
    print("ok operation")

    for cluster in CLUSTERS:
        key = str(uuid.uuid4())
        once = users.create_user_with_http_info(cluster, new_user("pyhpc4"), idempotency_key=key)
        again = users.create_user_with_http_info(cluster, new_user("pyhpc4"), idempotency_key=key)
        expect("the repeated answer", again[:2], once[:2])
        expect("the mark of the first answer", once[2].get("Idempotency-Replayed"), None)
        expect("the mark of the repeated one", again[2].get("Idempotency-Replayed"), "true")
    print("ok repeat")

    for cluster in CLUSTERS:
        for username in ("pyhpc1", "pyhpc2", "pyhpc3", "pyhpc4"):
            expect("the answer to a deletion", users.delete_user(cluster, username), None)
    print("ok delete")


main(sys.argv[1])
