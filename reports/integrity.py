"""Is the folder still what was sealed? Compares it with its manifest, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from offhook.bench.record.reader import sha256
from offhook.bench.record.schema import MANIFEST

NOT_EVIDENCE = {"report.html", "results.json", "junit.xml", "report.pdf", "summary.txt", MANIFEST}
"""Made from the evidence, or about it."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """What the manifest says about the folder; ``hashes`` are those of now (SHA-256, by name in the folder)."""

    sealed: bool
    hashes: dict[str, str]
    sizes: dict[str, int]
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def altered(self) -> bool:
        """True if a sealed file is not what it was, is gone, or a file came in later."""
        return bool(self.changed or self.missing or self.added)

    def as_sealed(self, name: str) -> bool:
        """True if the manifest vouches for that file as it is now."""
        return self.sealed and name in self.hashes and name not in self.changed and name not in self.added


def check(run_dir: Path, manifest: dict[str, str] | None) -> Integrity:
    """Hash every evidence file of a run folder and compare with the manifest's hashes (None: never sealed)."""
    files = {path.relative_to(run_dir).as_posix(): path for path in sorted(run_dir.rglob("*")) if path.is_file()}
    files = {name: path for name, path in files.items() if _is_evidence(name)}
    hashes = {name: sha256(path) for name, path in files.items()}
    sizes = {name: path.stat().st_size for name, path in files.items()}
    if manifest is None:
        return Integrity(False, hashes, sizes)
    sealed = {name: digest for name, digest in manifest.items() if name not in NOT_EVIDENCE}
    return Integrity(
        sealed=True,
        hashes=hashes,
        sizes=sizes,
        changed=tuple(sorted(name for name, digest in sealed.items() if hashes.get(name, digest) != digest)),
        missing=tuple(sorted(set(sealed) - set(hashes))),
        added=tuple(sorted(set(hashes) - set(sealed))),
    )


def _is_evidence(name: str) -> bool:
    return name not in NOT_EVIDENCE and not name.endswith((".part", "-wal", "-shm", "-journal"))
