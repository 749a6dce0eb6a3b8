#!/usr/bin/env python3
"""Offline checks of deploy/kubernetes: what `kustomize build` would bring together is resolved here, then validated.

- every file a kustomization names exists, and every manifest is named by one; nothing is defined twice;
- every patch meets a resource and a container that are there already, and variables that are there or that the
  program or its flags take; only then is it merged (maps by key, lists of named things by name, other lists replaced:
  what these patches need of kustomize's rules);
- every built-in resource fits the API's schema of several Kubernetes versions (PyPI kubernetes-validate, offline);
- custom resources (ServiceMonitor, PodMonitor, PrometheusRule), whose schemas are not in there: their shape and what
  they select;
- selectors meet pods, services name ports there are, flags are those the programs have, pods are restricted, the
  learner is reached through its gateway alone, ranks by each other alone, no secret is in the repository.

Exit status 77 (skipped) without kubernetes-validate.
"""

import copy
import pathlib
import re
import subprocess
import sys

try:
    import kubernetes_validate
    import yaml
except ImportError as error:
    print(f"skipped: {error}; pip install -r tests/requirements.txt")
    sys.exit(77)

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ROOT = SOURCE / "deploy" / "kubernetes"
VERSIONS = ("1.29", "1.33")
CUSTOM = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints", "PrometheusRule": "groups"}
NAME = "app.kubernetes.io/name"
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def load(path):
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def key_of(resource):
    return resource["kind"], resource["metadata"]["name"]


def merge(base, patch, where):
    for key, value in patch.items():
        inner = f"{where}.{key}"
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value, inner)
        elif isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
            there = {item["name"]: item for item in base.get(key, [])}
            for item in value:
                if key in ("env", "ports") and item["name"] not in there:
                    base[key].append(item)
                    continue
                expect(item["name"] in there, f"{inner}: the base has no {item['name']!r} to patch")
                merge(there.get(item["name"], {}), item, f"{inner}[{item['name']}]")
        else:
            base[key] = value


def resolve(folder, used):
    """The resources of a kustomization by kind and name."""
    path = folder / "kustomization.yaml"
    used.add(path)
    (customization,) = load(path)
    allowed = {"apiVersion", "kind", "namespace", "labels", "resources", "patches", "images"}
    expect(set(customization) <= allowed, f"{path}: fields this test does not resolve: {set(customization) - allowed}")
    resources = {}
    for name in customization["resources"]:
        target = (folder / name).resolve()
        if not target.exists():
            expect(False, f"{path}: no {name}")
            continue
        used.add(target)
        found = resolve(target, used) if target.is_dir() else {key_of(one): one for one in load(target)}
        expect(not set(found) & set(resources), f"{path}: twice: {set(found) & set(resources)}")
        resources.update(copy.deepcopy(found))
    for entry in customization.get("patches", []):
        target = folder / entry["path"]
        used.add(target)
        for patch in load(target):
            expect(key_of(patch) in resources, f"{target}: there is no {key_of(patch)} to patch")
            merge(resources.get(key_of(patch), {}), patch, str(target))
    for resource in resources.values():
        if "namespace" in customization and resource["kind"] != "Namespace":
            resource["metadata"]["namespace"] = customization["namespace"]
    images = {entry["name"]: entry for entry in customization.get("images", [])}
    for name in images:
        expect(
            any(
                container["image"].split(":")[0] == name
                for pod in pods_of(resources).values()
                for container in pod["containers"]
            ),
            f"{path}: no container has the image {name}",
        )
    for pod in pods_of(resources).values():
        for container in pod["containers"]:
            entry = images.get(container["image"].split(":")[0])
            if entry is not None:
                container["image"] = f"{entry['name']}:{entry['newTag']}"
    return resources


def pods_of(resources):
    return {
        key: one["spec"]["template"]["spec"]
        for key, one in resources.items()
        if key[0] in ("StatefulSet", "Deployment")
    }


def labels_of(resources):
    return [
        one["spec"]["template"]["metadata"]["labels"]
        for key, one in resources.items()
        if key[0] in ("StatefulSet", "Deployment")
    ]


def check_schemas(where, resources):
    for (kind, name), resource in resources.items():
        if kind in CUSTOM:
            expect(
                resource["apiVersion"] == "monitoring.coreos.com/v1"
                and isinstance(resource["spec"].get(CUSTOM[kind]), list),
                f"{where}: {kind} {name}: not in shape",
            )
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except Exception as error:  # one of several classes of the package
                expect(False, f"{where}: {kind} {name} against Kubernetes {version}: {error}")


def read_by_learner():
    text = (SOURCE / "learner/run/rank_environment.cc").read_text(encoding="utf-8")
    return set(re.findall(r'get, "([A-Z_]+)"', text))


def check_pods(where, resources):
    for (_, owner), pod in pods_of(resources).items():
        security = pod["securityContext"]
        expect(security["runAsNonRoot"] is True and security["runAsUser"] > 0, f"{where}: {owner} may run as root")
        expect(security["seccompProfile"] == {"type": "RuntimeDefault"}, f"{where}: {owner}: seccomp")
        expect(pod["automountServiceAccountToken"] is False, f"{where}: {owner} gets a token of the API")
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {
            claim["metadata"]["name"]
            for claim in resources.get(("StatefulSet", owner), {"spec": {}})["spec"].get("volumeClaimTemplates", [])
        }
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        expect(mounted == volumes, f"{where}: {owner}: volumes and mounts differ")
        for container in pod["containers"]:
            own = container["securityContext"]
            expect(
                own["allowPrivilegeEscalation"] is False
                and own["readOnlyRootFilesystem"] is True
                and own["capabilities"] == {"drop": ["ALL"]},
                f"{where}: {owner}: not restricted",
            )
            expect("memory" in container["resources"]["limits"], f"{where}: {owner}: no memory limit")
            variables = {variable["name"] for variable in container.get("env", [])}
            named = set(re.findall(r"\$\((\w+)\)", " ".join(container["args"])))
            for name in named:
                expect(name in variables, f"{where}: {owner}: args name ${name}, which is not set")
            for name in variables - named:
                expect(name in read_by_learner(), f"{where}: {owner}: nothing reads the variable {name}")
            expect(
                all(
                    "TROUPE_EXPERIMENT" != variable["name"]
                    or (SOURCE / "deploy/experiments" / f"{variable['value']}.textproto").exists()
                    for variable in container.get("env", [])
                ),
                f"{where}: {owner}: no such experiment",
            )


def flags_of(path):
    return set(re.findall(r"ABSL_FLAG\([^,]+, (\w+),", (SOURCE / path).read_text(encoding="utf-8")))


def flags_of_gateway():
    return set(re.findall(r"^    --(\w+)=\?\*\)", (SOURCE / "deploy/gateway/gateway.sh").read_text("utf-8"), re.M))


def check_flags(resources):
    """Flags of the manifests are declared where the program declares its own; probes are answered in every phase."""
    declared = {
        "learner": flags_of("learner/run/flags.cc"),
        "worker": flags_of("actor_worker/commands/flags.cc"),
        "gateway": flags_of_gateway(),
    }
    for (kind, _), pod in pods_of(resources).items():
        for container in pod["containers"]:
            used = [(container["args"], declared[container["name"]])]
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                command = container.get(probe, {}).get("exec", {}).get("command")
                if command is not None:
                    expect(command[:2] == ["/opt/troupe/bin/learner", "health"], f"{kind}: {probe}: {command[:2]}")
                    used.append((command, flags_of("learner/main.cc")))
                elif container["name"] == "gateway":
                    expect(container.get(probe, {"tcpSocket": {}}).keys() >= {"tcpSocket"}, f"{kind}: {probe}")
                elif probe in container:
                    expect(container[probe]["httpGet"]["path"] == "/health", f"{kind}: {probe} asks another page")
            for words, there in used:
                for flag in re.findall(r"--(\w+)=", " ".join(words)):
                    expect(flag in there, f"{kind}: the program has no flag --{flag}")


def check_selections(where, resources):
    pods = labels_of(resources)
    ports = {
        port["name"]
        for pod in pods_of(resources).values()
        for container in pod["containers"]
        for port in container["ports"]
    }
    numbers = {
        port["containerPort"]
        for pod in pods_of(resources).values()
        for container in pod["containers"]
        for port in container["ports"]
    }

    def meets(selector):
        return any(selector.items() <= labels.items() for labels in pods)

    for (kind, name), resource in resources.items():
        spec = resource.get("spec", {})
        if kind == "Service":
            expect(meets(spec["selector"]), f"{where}: Service {name} selects nothing")
            expect({port["targetPort"] for port in spec["ports"]} <= ports, f"{where}: Service {name}: ports")
        elif kind in ("PodDisruptionBudget", "PodMonitor"):
            expect(meets(spec["selector"]["matchLabels"]), f"{where}: {kind} {name} selects nothing")
        elif kind == "ServiceMonitor":
            services = [one["metadata"]["labels"] for key, one in resources.items() if key[0] == "Service"]
            expect(
                any(spec["selector"]["matchLabels"].items() <= labels.items() for labels in services),
                f"{where}: {name} selects nothing",
            )
        elif kind == "NetworkPolicy" and spec["podSelector"]:
            expect(meets(spec["podSelector"]["matchLabels"]), f"{where}: NetworkPolicy {name} selects nothing")
            for rule in spec.get("ingress", []):
                single = {port["port"] for port in rule["ports"] if "endPort" not in port}
                expect(single <= numbers, f"{where}: NetworkPolicy {name}: ports")
        elif kind == "HorizontalPodAutoscaler":
            target = spec["scaleTargetRef"]
            expect((target["kind"], target["name"]) in resources, f"{where}: {name} scales nothing")
            described = spec["metrics"][0]["object"]
            expect(
                (described["describedObject"]["kind"], described["describedObject"]["name"]) in resources,
                f"{where}: {name}: object",
            )
            (adapter,) = load(ROOT / "prometheus_adapter.yaml")
            expect(
                described["metric"]["name"] in [rule["name"]["as"] for rule in adapter["rules"]["custom"]],
                f"{where}: {name}: metric",
            )
        for monitor in ("endpoints", "podMetricsEndpoints"):
            for endpoint in spec.get(monitor, []) if kind in CUSTOM else []:
                expect(endpoint["port"] in ports, f"{where}: {kind} {name}: no port {endpoint['port']}")
    policies = [one["spec"] for key, one in resources.items() if key[0] == "NetworkPolicy"]
    expect(
        {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies, f"{where}: no policy denies by default"
    )


def check_gateway(where, resources):
    """Nothing reaches the learner's gRPC but its gateway, over a socket that both of them have."""
    pod = pods_of(resources)["StatefulSet", "troupe-learner"]
    learner, gateway = ({one["name"]: one for one in pod["containers"]}[name] for name in ("learner", "gateway"))
    (socket,) = [word.split("=", 1)[1] for word in learner["args"] if word.startswith("--listen=")]
    expect(socket.startswith("unix:") and f"--learner={socket}" in gateway["args"], f"{where}: the gateway's learner")
    for container in (learner, gateway):
        folders = {mount["mountPath"] for mount in container["volumeMounts"]}
        expect(str(pathlib.PurePath(socket[5:]).parent) in folders, f"{where}: {container['name']} has no socket")
    asks = any(word.startswith("--tls_client_ca=") for word in gateway["args"])
    expect(asks, f"{where}: the gateway asks nobody for a certificate")


def check_ranks(where, resources):
    """Several learners: as many as they say, which find each other, and whom nobody else reaches at their ports."""
    stateful = resources["StatefulSet", "troupe-learner"]["spec"]
    pod = stateful["template"]["spec"]
    (learner,) = [one for one in pod["containers"] if one["name"] == "learner"]
    variables = {one["name"]: one.get("value") for one in learner["env"]}
    if "WORLD_SIZE" not in variables:
        expect(stateful["replicas"] == 1, f"{where}: several learners that do not know of each other")
        return
    replicas, service = stateful["replicas"], stateful["serviceName"]
    expect(variables["WORLD_SIZE"] == str(replicas), f"{where}: WORLD_SIZE is not the number of replicas")
    expect(stateful["podManagementPolicy"] == "Parallel", f"{where}: ranks would wait for those not started yet")
    expect(variables["MASTER_ADDR"] == f"troupe-learner-0.{service}", f"{where}: MASTER_ADDR is not rank 0's name")
    named = resources["Service", service]["spec"]
    expect(named["clusterIP"] == "None" and named.get("publishNotReadyAddresses") is True, f"{where}: names of ranks")
    expect(f"--advertise=$(POD_NAME).{service}:7070" in learner["args"], f"{where}: ranks advertise another name")
    shards = [int(word.split("=")[1]) for word in learner["args"] if word.startswith("collection.num_shards=")]
    expect(shards and shards[0] >= replicas, f"{where}: fewer shards than ranks")
    (worker,) = resources["Deployment", "troupe-worker"]["spec"]["template"]["spec"]["containers"]
    expect(f"--learner={service}:7070" in worker["args"], f"{where}: workers ask somebody else")
    expect(f"--tls_server_name={service}" in worker["args"], f"{where}: a rank's own name is in no certificate")
    fewest = resources["HorizontalPodAutoscaler", "troupe-worker"]["spec"]["minReplicas"]
    expect(fewest >= replicas, f"{where}: fewer workers than ranks")
    labels = stateful["selector"]["matchLabels"]
    ours = [{"podSelector": {"matchLabels": labels}}]
    port = int(variables["MASTER_PORT"])
    for (kind, name), resource in resources.items():
        if kind != "NetworkPolicy" or resource["spec"]["podSelector"].get("matchLabels") != labels:
            continue
        for rule in resource["spec"].get("ingress", []):
            if any(one["port"] == port or "endPort" in one for one in rule["ports"]):
                expect(rule["from"] == ours, f"{where}: NetworkPolicy {name}: others reach the ranks")
    policy = resources["NetworkPolicy", "troupe-ranks"]["spec"]
    expect(policy["policyTypes"] == ["Ingress", "Egress"], f"{where}: the ranks' way out")
    expect(policy["egress"][0]["to"] == ours, f"{where}: the ranks' way out")
    expect(policy["ingress"][0]["ports"][0]["port"] == port, f"{where}: the store's port is closed")


def check_prometheus_rule():
    printed = subprocess.run([ROOT / "prometheus_rule.sh"], check=True, capture_output=True, text=True).stdout
    (rule,) = yaml.safe_load_all(printed)
    written = [
        group
        for path in sorted((SOURCE / "deploy/prometheus/rules").glob("*.yml"))
        for group in load(path)[0]["groups"]
    ]
    expect(
        rule["spec"]["groups"] == written and rule["kind"] == "PrometheusRule",
        "prometheus_rule.sh: not the rules of the files",
    )


def main():
    used = {ROOT / "prometheus_adapter.yaml"}
    for folder in [ROOT / "base", *sorted((ROOT / "overlays").iterdir())]:
        resources = resolve(folder, used)
        where = str(folder.relative_to(ROOT))
        for check in (check_schemas, check_pods, check_selections, check_gateway, check_ranks):
            check(where, resources)
        check_flags(resources)
        expect(not any(key[0] == "Secret" for key in resources), f"{where}: a Secret is in the repository")
        print(f"{where}: {len(resources)} resources")
    for path in ROOT.rglob("*.yaml"):
        expect(path.resolve() in {one.resolve() for one in used}, f"{path}: no kustomization names it")
        expect("PRIVATE KEY" not in path.read_text(encoding="utf-8"), f"{path}: a private key")
    check_prometheus_rule()
    print("\n".join(failures) or "all is well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
