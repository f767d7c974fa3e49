"""Creates, watches, changes and deletes a store with the client that openapi-python-client makes of the API's description.

Usage: URUMI_TOKEN=TOKEN python flow.py URL
"""

import json
import os
import sys
import uuid

from urumi_client import AuthenticatedClient
from urumi_client.api.access import who_am_i
from urumi_client.api.stores import (
    create_store,
    delete_store,
    get_store,
    get_store_credentials,
    get_store_logs,
    get_store_options,
    list_stores,
    preview_store,
    retry_store,
)
from urumi_client.models import CreateStore, Problem, Store

ID = "python"
SELECTOR = "client=python"
REQUEST = {
    "name": "My Shop",
    "engine": "medusa",
    "id": ID,
    "owner": None,
    "labels": {"client": "python"},
    "options": {"api": {"replicas": 2}},
}


def events(response):
    """The names and data of the events of a watch."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def main(url):
    client = AuthenticatedClient(base_url=url, token=os.environ["URUMI_TOKEN"])
    request = CreateStore.from_dict(REQUEST)
    assert request.to_dict() == REQUEST
    assert who_am_i.sync(client=client).role == "admin"

    wrong = CreateStore.from_dict({**REQUEST, "name": "", "engine": "magento"})
    problem = create_store.sync(client=client, body=wrong)
    assert isinstance(problem, Problem), problem
    assert (problem.code, problem.status) == ("invalid", 422), problem
    assert sorted(error.field for error in problem.errors) == ["engine", "name"], problem

    preview = preview_store.sync(client=client, body=request)
    assert preview.objects[0]["kind"] == "Namespace", preview

    # The generator makes nothing of a stream of events. Its client sends the request, and its types read the stores.
    query = {"labelSelector": SELECTOR}
    with client.get_httpx_client().stream("GET", "/watch", params=query, timeout=60) as response:
        watched = events(response)
        assert next(watched) == ("listed", []), "the list is not empty"

        def changed():
            name, data = next(watched)
            assert name == "changed", (name, data)
            return Store.from_dict(data)

        key = str(uuid.uuid4())
        created = create_store.sync_detailed(client=client, body=request, idempotency_key=key)
        assert created.parsed.status == "provisioning", created
        assert changed().id == ID
        again = create_store.sync_detailed(client=client, body=request, idempotency_key=key)
        assert again.headers["Idempotency-Replayed"] == "true", again
        assert again.parsed.id == created.parsed.id

        retried = retry_store.sync(ID, client=client)
        assert retried.status == "provisioning", retried
        while changed().status != "ready":
            pass

        ready = list_stores.sync(
            client=client,
            label_selector=SELECTOR,
            status=["ready", "degraded"],
            resource_version=retried.resource_version,
        )
        assert [store.id for store in ready] == [ID], ready
        options = get_store_options.sync(ID, client=client)
        assert options.requested.to_dict() == REQUEST["options"], options
        logs = get_store_logs.sync_detailed(ID, client=client, tail=5, since="1h")
        assert logs.headers["Content-Type"].startswith("text/plain"), logs
        assert not get_store_credentials.sync(ID, client=client).password
        assert len(get_store_credentials.sync(ID, client=client, reveal=True).password) == 20

        stale = delete_store.sync(ID, client=client, if_match='"1"')
        assert stale.code == "precondition-failed", stale
        deleted = delete_store.sync(ID, client=client)
        assert deleted.status == "deleting", deleted
        for name, data in watched:
            if name == "gone":
                assert data == {"id": ID}, data
                break
    assert get_store.sync(ID, client=client).code == "not-found"


main(sys.argv[1])
