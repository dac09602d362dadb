"""Starting, using and stopping a local AWS."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws import processes, toolchain
from local_aws.processes import Holder, PidFile

ACCOUNT: Final = "111111111111"
"""The account that is meant where none is given; any other exists as well."""
REGION: Final = "eu-west-1"
"""The region that is meant where none is given."""

_UNVERIFIED: Final = "local"
"""The secret key of the root of every account; ministack does not verify its signature."""
_HOST: Final = "127.0.0.1"
_START_DEADLINE: Final = 60.0
_CALL_TIMEOUT: Final = 10.0
_IMPORT_TIMEOUT: Final = 300.0
"""The timeout of a call in which the simulated Personalize may read large files."""
_LOG_TAIL: Final = 30
_BOOTSTRAP_STACK: Final = "CDKToolkit"


class LocalAwsError(Exception):
    """The local AWS cannot carry out a command; the message has the cause and the next step."""


class PortTakenError(LocalAwsError):
    """The local AWS cannot listen on the requested port."""


class LocalAws:
    """A running local AWS, whose whole state is in memory and ends with it.

    It listens on the loopback interface only. Its folder holds its pid file, its log and its files.
    So any number of them can run at the same time, each in a folder of its own. As a context
    manager it stops at the end.
    """

    def __init__(
        self, folder: Path, holder: Holder, process: subprocess.Popen[bytes] | None
    ) -> None:
        """Use `start` or `find`."""
        self._folder = folder
        self._holder = holder
        self._process = process

    @classmethod
    def start(cls, folder: Path, *, port: int | None = None, sfn_wait_scale: float = 1.0) -> Self:
        """Start one and wait until it answers.

        Until `detach` is called it ends with the process that started it, however that ends.

        Args:
            folder: Where it keeps its files.
            port: The port to serve on; by default any that is free.
            sfn_wait_scale: Factor on the waits of Step Functions; clocks are not scaled.

        Raises:
            LocalAwsError: One runs there already, the port is taken, or it does not come up.
        """
        folder = folder.resolve()
        with contextlib.ExitStack() as held:
            try:
                claim = held.enter_context(_pid_file(folder).claim())
            except processes.InUseError as error:
                raise LocalAwsError(
                    f"A local AWS runs in {folder} already. Use that one, or stop it first."
                ) from error
            listener = held.enter_context(_listen(port))
            _remove_data(folder)
            process = _spawn(folder, listener, claim.fileno(), sfn_wait_scale)
            holder = Holder(pid=process.pid, port=listener.getsockname()[1])
            PidFile.record(claim, holder)
        started = cls(folder, holder, process)
        try:
            started._wait_until_healthy(process)
        except BaseException:
            started.stop()
            raise
        return started

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Return the one that runs in a folder, if one does."""
        folder = folder.resolve()
        holder = _pid_file(folder).holder()
        return cls(folder, holder, None) if holder else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The id of its process, which leads a group of its own."""
        return self._holder.pid

    @property
    def port(self) -> int:
        """The port that every service is on."""
        return self._holder.port

    @property
    def endpoint(self) -> str:
        """The endpoint URL of every service."""
        return f"http://{_HOST}:{self.port}"

    @property
    def folder(self) -> Path:
        """Where it keeps its files."""
        return self._folder

    @property
    def log(self) -> Path:
        """Its log, kept until the next start."""
        return _log_file(self._folder)

    @property
    def data(self) -> Path:
        """The folder of its data, which is deleted with its state."""
        return _data(self._folder)

    def stop(self) -> None:
        """End it and everything that runs in it, and drop its state. Twice is once."""
        if not self._has_ended():
            processes.end_group(self.pid, has_ended=self._has_ended)
        if self._process:
            with self._process:  # closes its standard input
                pass
        _remove_data(self._folder)

    def _has_ended(self) -> bool:
        if self._process:
            return self._process.poll() is not None
        return _pid_file(self._folder).holder() != self._holder

    def detach(self) -> None:
        """Let it outlive the process that started it."""
        if self._process:
            processes.let_stay(self._process)

    def is_healthy(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._request("GET", "/_ministack/health")[0] == http.HTTPStatus.OK
        return False

    def env(self, *, account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
        """Return the environment in which the CDK CLI and SDKs see this AWS and nothing else."""
        home = self._folder / "home"
        return toolchain.environment(home) | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": _UNVERIFIED,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": account,
            "CDK_DEFAULT_REGION": region,
            "CDK_HOME": str(home / ".cdk"),
            # Nothing that the CLI would ask the network for.
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CDK_NOTICES": "false",
        }

    def cdk(
        self,
        *arguments: str,
        account: str = ACCOUNT,
        region: str = REGION,
        cwd: Path = toolchain.ROOT,
        capture: bool = False,
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the stock CDK CLI against this AWS; see `processes.run`.

        Raises:
            LocalAwsError: It is not installed.
        """
        if not Path(toolchain.CDK[-1]).exists():
            raise LocalAwsError(
                f"The CDK CLI is not in {toolchain.ROOT / 'node_modules'}. Run `npm install "
                "aws-cdk` in your app's folder, and this command there."
            )
        return processes.run(
            (*toolchain.CDK, *arguments),
            env=self.env(account=account, region=region),
            cwd=cwd,
            capture=capture,
            timeout=timeout,
        )

    def bootstrap(self, *options: str, account: str = ACCOUNT, region: str = REGION) -> None:
        """Bootstrap an environment with the stock `cdk bootstrap`, unless it has been.

        Args:
            options: Options of the command.
            account: The environment's account.
            region: The environment's region.

        Raises:
            LocalAwsError: The CLI failed; the message holds its output.
        """
        if self._is_bootstrapped(account, region):
            return
        done = self.cdk(
            "bootstrap",
            f"aws://{account}/{region}",
            *options,
            account=account,
            region=region,
            cwd=self._folder,  # no app here, so none is synthesised
            capture=True,
        )
        if done.returncode:
            raise LocalAwsError(f"cdk bootstrap failed:\n{done.stdout}\nLog: {self.log}")

    def client(self, service: str, *, account: str = ACCOUNT, region: str = REGION) -> Any:
        """Return a boto3 client of a service, with all permissions in an account."""
        return boto3.Session(
            aws_access_key_id=account, aws_secret_access_key=_UNVERIFIED, region_name=region
        ).client(  # type: ignore[call-overload]  # the name is not a literal
            service, endpoint_url=self.endpoint, config=Config(proxies={})
        )

    def seed_dataset_group(
        self, name: str, *, account: str = ACCOUNT, region: str = REGION, **properties: Any
    ) -> str:
        """Put a dataset group into the simulated Personalize and return its ARN.

        Args:
            name: Its name; one that exists is replaced.
            account: Its account.
            region: Its region.
            properties: See `local_aws.personalize.Personalize.seed_dataset_group`.

        Raises:
            LocalAwsError: A property is unknown or wrong.
        """
        seed = {"account": account, "region": region, "name": name, **properties}
        return str(self._administer("POST", "dataset-groups", seed)["datasetGroupArn"])

    def adjust_personalize(self, behaviour: Mapping[str, Any]) -> None:
        """Change how the simulated Personalize behaves: fields of `personalize.Behaviour`.

        Raises:
            LocalAwsError: A field is unknown or its value wrong.
        """
        self._administer("PUT", "behaviour", behaviour)

    def personalize_behaviour(self) -> dict[str, Any]:
        """Return how the simulated Personalize behaves, field by field."""
        return dict(self._administer("GET", "behaviour"))

    def personalize_state(self) -> dict[str, Any]:
        """Return all that the simulated Personalize holds; see `Personalize.state`."""
        return dict(self._administer("GET", "state"))

    def personalize_journal(self) -> list[dict[str, Any]]:
        """Return all calls to the simulated Personalize so far; see `personalize.Call`."""
        return list(self._administer("GET", "journal"))

    def _administer(self, method: str, resource: str, body: Mapping[str, Any] | None = None) -> Any:
        timeout = _IMPORT_TIMEOUT if method == "POST" else _CALL_TIMEOUT
        status, answer = self._request(method, f"/_personalize/{resource}", body, timeout)
        if status != http.HTTPStatus.OK:
            raise LocalAwsError(json.loads(answer)["message"])
        return json.loads(answer)

    def _is_bootstrapped(self, account: str, region: str) -> bool:
        cloudformation = self.client("cloudformation", account=account, region=region)
        try:
            stacks = cloudformation.describe_stacks(StackName=_BOOTSTRAP_STACK)["Stacks"]
        except ClientError:
            return False
        return str(stacks[0]["StackStatus"]) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_DEADLINE
        while not self.is_healthy():
            if process.poll() is not None:
                problem = f"ended with code {process.returncode}"
            elif time.monotonic() > deadline:
                problem = f"did not answer within {_START_DEADLINE:.0f} s"
            else:
                time.sleep(0.05)
                continue
            raise LocalAwsError(f"The local AWS {problem}. The end of {self.log}:\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout: float = _CALL_TIMEOUT,
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()


def _pid_file(folder: Path) -> PidFile:
    return PidFile(folder / "pid.json")


def _log_file(folder: Path) -> Path:
    return folder / "local-aws.log"


def _data(folder: Path) -> Path:
    return folder / "data"


def _remove_data(folder: Path) -> None:
    shutil.rmtree(_data(folder), ignore_errors=True)


def _listen(port: int | None) -> socket.socket:
    """Return a listening socket, so that a free port is ours from the moment it is found."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port or 0))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"Port {port} of {_HOST} cannot be used ({error.strerror}). Give another "
            "port. Without --port, the command takes a free one."
        ) from error
    return listener


def _spawn(
    folder: Path, listener: socket.socket, claim: int, sfn_wait_scale: float
) -> subprocess.Popen[bytes]:
    data = _data(folder)
    home = data / "home"
    home.mkdir(parents=True)
    env = toolchain.environment(home) | {
        "PYTHONPATH": str(toolchain.PACKAGES),
        "GATEWAY_PORT": str(listener.getsockname()[1]),
        "BIND_HOST": _HOST,
        "MINISTACK_HOST": _HOST,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "TMPDIR": str(data),
        "S3_DATA_DIR": str(data / "s3"),
        "STATE_DIR": str(data / "state"),
        "SFN_WAIT_SCALE": str(sfn_wait_scale),
        # Listeners on ports of their own, which nothing needs here.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    with _log_file(folder).open("wb") as log:
        return subprocess.Popen(  # noqa: S603  # no shell, and no command from outside
            [sys.executable, "-m", f"{__package__}.server", "--listen-fd", str(listener.fileno())],
            env=env,
            cwd=data,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(listener.fileno(), claim),
            start_new_session=True,
        )
