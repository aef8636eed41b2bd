"""The pinned toolchain: what compiles .proto files, and the check that it is what is installed.

One toolchain for everybody makes the output the same on every machine. grpcio-tools 1.82.1 bundles protoc 35.0, the
first protoc of a grpcio-tools that knows edition 2024. Its Python output runs on protobuf 7.35.0 and later 7.x.
"""

from importlib.metadata import PackageNotFoundError, version

from .errors import StubsError

GRPCIO_TOOLS_VERSION = "1.82.1"
PROTOC_VERSION = "35.0"
MYPY_PROTOBUF_VERSION = "5.1.0"

# Raised when the generator itself writes other text: a release that writes the same stubs leaves them untouched.
STUBS_VERSION = "2"


def check_toolchain() -> None:
    """Checks that the pinned tools are installed.

    Raises:
        StubsError: a tool is missing or has another version.
    """
    for package, wanted in (("grpcio-tools", GRPCIO_TOOLS_VERSION), ("mypy-protobuf", MYPY_PROTOBUF_VERSION)):
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "none"
        if found != wanted:
            raise StubsError(f"stubs need {package} {wanted}, found {found}: pip install '{package}=={wanted}'")
