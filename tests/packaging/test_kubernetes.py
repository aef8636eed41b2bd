"""The manifests fit the schemas of Kubernetes, keep to the rules, and their probes tell real servers from dead ones."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.rendering import RenderedPlugin
from tests.support.serving import environ, serve

from .tools import linter

SCHEMAS = "kubernetes-validate==1.37.0"
VERSIONS = ["1.30", "1.37"]


def documents(*paths: Path) -> list[dict[str, Any]]:
    return [item for path in paths for item in yaml.safe_load_all(path.read_text())]


@pytest.fixture(scope="module")
def base(root: Path) -> dict[str, dict[str, Any]]:
    """The documents of the base by kind; of Services, the headless one."""
    paths = [path for path in (root / "deploy/kubernetes/base").glob("*.yaml") if path.name != "kustomization.yaml"]
    found = documents(*paths)
    return {item["kind"]: item for item in found if item["spec" if "spec" in item else "data"].get("type") is None
            and not (item["kind"] == "Service" and "clusterIP" not in item["spec"])}  # fmt: skip


@pytest.fixture(scope="module")
def kustomized(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What `kubectl kustomize` makes of each folder, in files."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    folder = tmp_path_factory.mktemp("kustomized")
    shutil.copytree(root / "deploy/kubernetes", folder / "kubernetes")
    gateway = folder / "kubernetes" / "gateway"
    gateway.mkdir()
    (gateway / "deployment.yaml").write_text(GATEWAY)
    (gateway / "kustomization.yaml").write_text("resources: [deployment.yaml]\ncomponents: [../sidecar]\n")
    made = {}
    for name in ("base", "mtls", "gateway"):
        command = [kubectl, "kustomize", str(folder / "kubernetes" / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made[name] = folder / f"{name}.yaml"
        made[name].write_text(done.stdout)
    return made


GATEWAY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, labels: {app.kubernetes.io/component: mcp-gateway}}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      containers: [{name: gateway, image: gateway}]
"""


def deployment(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in documents(path) if item["kind"] == "Deployment")
    return found["spec"]["template"]["spec"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_base_fits_the_schemas(root: Path, version: str) -> None:
    paths = [path for path in (root / "deploy/kubernetes/base").glob("*.yaml") if path.name != "kustomization.yaml"]
    assert linter("kubernetes-validate", SCHEMAS, "--strict", "--kubernetes-version", version, *paths) == ""


@pytest.mark.parametrize("name", ["base", "mtls", "gateway"])
def test_what_kustomize_makes_fits_the_schemas(kustomized: dict[str, Path], name: str) -> None:
    assert linter("kubernetes-validate", SCHEMAS, "--strict", kustomized[name]) == ""


def test_the_schemas_would_find_something(root: Path, tmp_path: Path) -> None:
    text = (root / "deploy/kubernetes/base/deployment.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(text.replace("readOnlyRootFilesystem", "readOnlyRoot"))
    assert "readOnlyRoot" in linter("kubernetes-validate", SCHEMAS, "--strict", tmp_path / "wrong.yaml")


def test_a_pod_has_no_rights(base: dict[str, dict[str, Any]]) -> None:
    pod = base["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {tuple(pod["containers"][0][f"{kind}Probe"]["grpc"]) for kind in ("startup", "readiness", "liveness")}


def test_the_parts_name_each_other(base: dict[str, dict[str, Any]]) -> None:
    labels = base["Deployment"]["spec"]["template"]["metadata"]["labels"]
    chosen = [base["Service"]["spec"]["selector"]]
    chosen += [base[kind]["spec"]["selector"]["matchLabels"] for kind in ("Deployment", "PodDisruptionBudget")]
    chosen += [base["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]]
    assert all(selector.items() <= labels.items() for selector in chosen)
    assert base["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == base["Deployment"]["metadata"]["name"]
    assert base["Service"]["spec"]["clusterIP"] == "None"
    container = base["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"][0]["configMapRef"]["name"] == base["ConfigMap"]["metadata"]["name"]
    ports = {port["name"] for port in container["ports"]}
    assert {port["port"] for rule in base["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]} == ports


def test_there_is_time_to_drain(base: dict[str, dict[str, Any]]) -> None:
    settings, pod = base["ConfigMap"]["data"], base["Deployment"]["spec"]["template"]["spec"]
    pause = float(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = float(settings["PLUGINS_SHUTDOWN_GRACE"])
    assert float(settings["PLUGINS_HOOK_TIMEOUT"]) < grace
    assert pause + grace < pod["terminationGracePeriodSeconds"]


def test_the_variables_are_those_of_the_server(root: Path, kustomized: dict[str, Path]) -> None:
    known = (root / ".env.template").read_text()
    text = "".join(path.read_text() for path in kustomized.values())
    used = {word.strip(" :") for word in text.split() if word.startswith("PLUGINS_")}
    used -= {item["name"] for item in deployment(kustomized["gateway"])["containers"][0]["env"]}
    assert used and all(f"#{name}=" in known for name in used)


def test_the_gateway_gets_the_plugin_beside_it(kustomized: dict[str, Path]) -> None:
    pod = deployment(kustomized["gateway"])
    (plugin,) = pod["initContainers"]
    assert plugin["restartPolicy"] == "Always"
    (gateway,) = pod["containers"]
    assert gateway["image"] == "gateway"
    assert gateway["volumeMounts"] == plugin["volumeMounts"]
    variables = {item["name"]: item["value"] for item in gateway["env"]}
    assert variables["PLUGINS_FAIL_ON_PLUGIN_ERROR"] == "true"
    assert variables["PYTHONPATH"] == "/app:/run/plugins/pii-guard/gateway"
    assert pod["volumes"] == [{"name": "plugin-sockets", "emptyDir": {"sizeLimit": "16Mi"}}]


def probe(plugin: RenderedPlugin, container: dict[str, Any], name: str, *places: tuple[str, str]) -> int:
    """Run an exec probe, with other ports and paths than the cluster's."""
    words = [str(plugin.python), *container[name]["exec"]["command"][1:]]
    for old, new in places:
        assert old in words[-1]
        words[-1] = words[-1].replace(old, new)
    return subprocess.run(words, env=environ(plugin), capture_output=True, timeout=30, check=False).returncode


def test_the_probe_of_mutual_tls_tells_a_server_that_hangs(plugin: RenderedPlugin, kustomized: dict[str, Path]) -> None:
    (container,) = deployment(kustomized["mtls"])["containers"]
    assert container["readinessProbe"]["tcpSocket"] == container["startupProbe"]["tcpSocket"] == {"port": "http"}
    assert not any("grpc" in container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness"))
    with serve(plugin, "grpc,http", "--tls", "--grpc-uds", "") as served:
        port = ("8000", served.endpoints["https"].rpartition(":")[2].removesuffix("/mcp"))
        assert probe(plugin, container, "livenessProbe", port) == 0
        assert not [line for line in served.log if "plugsmith-runtime" not in line]
        served.process.send_signal(signal.SIGSTOP)
        try:
            assert probe(plugin, container, "livenessProbe", port, (", 4)", ", 0.5)")) != 0
        finally:
            served.process.send_signal(signal.SIGCONT)


def test_the_sidecar_starts_in_a_folder_that_everybody_may_write(
    plugin: RenderedPlugin, kustomized: dict[str, Path], short_path: Path
) -> None:
    # So kubelets make an emptyDir.
    short_path.chmod(0o777)
    (container,) = deployment(kustomized["gateway"])["initContainers"]
    place = ("/run/plugins", str(short_path))
    script = container["command"][-1].replace(*place).replace("python", str(plugin.python))
    variables = {item["name"]: item["value"].replace(*place) for item in container["env"]}
    with subprocess.Popen(
        ["sh", "-c", script], cwd=plugin.root, env=environ(plugin, **variables), stderr=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        # The first line is the versions'.
        _, *lines = [process.stderr.readline() for _ in range(3)]
        assert all(line.startswith("serving PiiGuard on ") for line in lines), lines
        assert (short_path / "pii-guard" / "gateway" / "plain_context.py").exists()
        assert probe(plugin, container, "startupProbe", place) == 0
        assert probe(plugin, container, "livenessProbe", place) == 0
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert probe(plugin, container, "livenessProbe", place) != 0
