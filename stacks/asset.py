"""The functions' code as one zip file, the same from every checkout and on every machine."""

from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_PACKAGE: Final = "recommender"
_READABLE_BY_ALL: Final = 0o100644
_UNIX: Final = 3
"""The system whose modes an entry has (APPNOTE.TXT of PKWARE, 4.4.2)."""


def zipped(lambdas: Path, assembly: Path) -> str:
    """Write the modules of the package ``recommender`` into a zip file, and return its path.

    The CDK would zip a folder with the modes of its files, but leaves the modes out of the asset's
    hash. Lambda runs functions as a user that does not own their files. So a checkout made under
    ``umask 077`` would publish code that Lambda cannot read, and every later deployment would use
    that asset (aws-cdk issues 8233, 23284; jsii issue 1765). Here each file has mode 0644, whatever
    mode it has in the checkout. Nothing is compressed: two versions of zlib compress differently,
    and the hash must not depend on that.

    Args:
        lambdas: the folder that has the package.
        assembly: the folder of the cloud assembly. The CDK copies the file there under the name of
            its hash, but publishes this one if it stages nothing (``cdk synth --no-staging``).
    """
    path = assembly / "functions.zip"
    with ZipFile(path, "w", ZIP_STORED) as archive:
        packages = {init.parent for init in (lambdas / _PACKAGE).rglob("__init__.py")}
        for module in sorted(path for package in packages for path in package.glob("*.py")):
            entry = ZipInfo(module.relative_to(lambdas).as_posix())  # of 1980-01-01
            entry.create_system = _UNIX
            entry.external_attr = _READABLE_BY_ALL << 16
            archive.writestr(entry, module.read_bytes())
    return str(path)
