"""The pinned toolchain: what compiles .proto files, and the check that it is what is installed.

One toolchain for everybody makes the output the same on every machine. grpcio-tools 1.76.0 bundles protoc 31.1, whose
Python output runs on protobuf 6.31.1 and later 6.x, and on 7.x: a runtime takes the output of the major before it.
"""

from importlib.metadata import PackageNotFoundError, version

from .errors import StubsError

GRPCIO_TOOLS_VERSION = "1.76.0"
PROTOC_VERSION = "31.1"
MYPY_PROTOBUF_VERSION = "5.1.0"

# Raised when the generator itself writes other text: a release that writes the same stubs leaves them untouched.
STUBS_VERSION = "1"


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
