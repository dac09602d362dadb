"""Write the software bill of materials of a wheel, as CycloneDX has it.

python -m checks.sbom <wheel> > sbom.cdx.json

It lists the packages that the wheel requires, extras included, in the versions of the locks, with
which the tests have run. The wheel itself has only first-party code.
"""

import hashlib
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import Distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checks import licences


def bom(wheel: Path, installed: Mapping[str, Distribution]) -> Bom:
    """Return the bill of materials of a wheel.

    Args:
        wheel: its file.
        installed: the packages that fulfil requirements, by name.
    """
    metadata = _metadata(wheel)
    root = _component(metadata["Name"], metadata["Version"], metadata["License-Expression"])
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    root.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    made = Bom()
    made.metadata.component = root
    components: dict[str, Component] = {}
    waiting: list[tuple[Component, Iterable[str], Iterable[str]]] = [
        (root, metadata.get_all("Requires-Dist", []), metadata.get_all("Provides-Extra", []))
    ]
    seen = set()
    for component, requirements, extras in waiting:  # which grows
        needs = []
        for one in _applying(requirements, extras):
            name = canonicalize_name(one.name)
            package = installed[name]
            if name not in components:
                licence = licences.licence_of(package)
                components[name] = _component(name, package.version, licence)
            needs.append(components[name])
            if (key := (name, *sorted(one.extras))) not in seen:
                seen.add(key)
                waiting.append((components[name], package.requires or (), one.extras))
        made.register_dependency(component, needs)
    made.components.update(components.values())
    return made


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(path).decode())


def _applying(requirements: Iterable[str], extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield the requirements that apply here, with these extras."""
    for one in map(Requirement, requirements):
        marker = one.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield one


def _component(name: str, version: str, licence: str) -> Component:
    url = PackageURL("pypi", name=name, version=version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=url,
        bom_ref=url.to_string(),
        licenses=[LicenseFactory().make_from_string(licence)],
    )


if __name__ == "__main__":
    print(JsonV1Dot6(bom(Path(sys.argv[1]), licences.installed())).output_as_string(indent=2))
