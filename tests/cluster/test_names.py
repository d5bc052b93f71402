"""Services of an App reach each other by name, whatever else has that name."""

from __future__ import annotations

from typing import Any

from tests.cluster.site import NEVER, Site, app, serving, sleeping


def pair(name: str) -> dict[str, Any]:
    api = serving(f"api-of-{name}", name="api", networks={"default": {"aliases": ["backend"]}})
    return app(api, sleeping("asker"), name=name)


def test_names_mean_the_apps_own_services(site: Site) -> None:
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "api"},
        "spec": {"ports": [{"port": 8080}], "selector": {"no": "thing"}},
    }
    site.apply(foreign, pair("left"), pair("right"))
    for name in ("left", "right"):
        site.until_state("Ready", name=name)
    for name in ("left", "right"):
        for host in ("api", "backend"):
            url = f"http://{host}:8080/index.html"
            site.until(
                lambda url=url, name=name: site.fetch(url, workload=f"{name}-asker") == f"api-of-{name}",
                f"{host} inside {name}",
            )


def test_names_of_pods_alone(site: Site) -> None:
    """Their addresses are known when they run; without one, nobody knows of which family they will be."""

    def made() -> list[Any]:
        slices = site.items("endpointslice")
        label = "endpointslice.kubernetes.io/managed-by"
        return [one for one in slices if one["metadata"]["labels"].get(label) == "iotistic-edge"]

    site.apply(app(sleeping()))
    site.until_state("Ready")
    assert made() == []
    site.apply(app(sleeping(networks={"default": {"aliases": ["other"]}})))
    site.until_state("Ready", release="2")
    site.until(lambda: made() and made()[0]["endpoints"], "an address")
    assert made()[0]["addressType"] == "IPv4"
    site.apply(app(sleeping()))
    site.until_state("Ready", release="3")
    site.until(lambda: not made()[0]["endpoints"], "none any more")
    site.operator.until_idle()
    assert site.operator.lines("child_refused") == []


def test_a_hand_over_fails_no_request_through_a_name(site: Site) -> None:
    def pair_with(text: str) -> dict[str, Any]:
        api = serving(text, name="api", update={"strategy": "HandOver"})
        return app(api, sleeping("asker"), update={"minReadySeconds": 3})

    site.apply(pair_with("one"))
    site.until_state("Ready", release="1")
    # On a node that has just come up, its DNS server hears of a new name a moment later.
    url = "http://api:8080/index.html"
    site.until(lambda: site.fetch(url, workload="shop-asker") == "one", "the name is known")
    loop = (
        "rm -f /tmp/end; (while [ ! -e /tmp/end ]; do for n in 1 2 3 4 5 6 7 8 9 10; do "
        "wget -qO - http://api:8080/index.html || echo failed; done; done >/tmp/said 2>&1; touch /tmp/over) "
        ">/dev/null 2>&1 &"
    )
    site.inside("shop-asker", loop)
    site.until(lambda: "one" in site.inside("shop-asker", "tail -n 1 /tmp/said"), "it asks")
    site.apply(pair_with("two"))
    site.until_state("Ready", release="2")
    site.until(lambda: "two" in site.inside("shop-asker", "tail -n 1 /tmp/said"), "the new one answers")
    site.inside("shop-asker", "touch /tmp/end")
    site.until(lambda: site.inside("shop-asker", "ls /tmp/over"), "it has stopped asking")
    said = site.inside("shop-asker", "sort /tmp/said | uniq -c")
    counts = {line.split(maxsplit=1)[1]: int(line.split()[0]) for line in said.splitlines()}
    assert set(counts) == {"one", "two"}, counts
    assert sum(counts.values()) > 100, counts


def test_what_is_not_ready_has_its_name_beside_a_hand_over(site: Site) -> None:
    api = serving("early", name="api", ports=[], readinessProbe=NEVER)
    rolled = sleeping("rolled", update={"strategy": "HandOver"}, readinessProbe=NEVER)
    site.apply(app(api, rolled, sleeping("asker")))
    url = "http://api:8080/index.html"
    site.until(lambda: site.fetch(url, workload="shop-asker") == "early", "the name is known")
    pods = {one["metadata"]["labels"]["iotistic.io/service"]: one["status"] for one in site.items("pod")}
    assert not any(one["ready"] for name in ("api", "rolled") for one in pods[name]["containerStatuses"])
    ours = f"shop-names.{site.namespace}.svc.cluster.local"
    known = site.inside("shop-asker", f"nslookup rolled.{ours} 2>&1; nslookup api.{ours} 2>&1")
    assert pods["api"]["podIP"] in known, known
    assert pods["rolled"]["podIP"] not in known, known
