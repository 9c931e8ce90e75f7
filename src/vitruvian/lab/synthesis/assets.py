"""MakeHuman's freely licensed (CC0) assets: which there are in a folder, read when asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.proxies import Proxy
from vitruvian.lab.synthesis.proxy_cache import cached_proxy

ASSETS_VARIABLE = "VITRUVIAN_ASSETS"


@dataclass(frozen=True)
class AssetLibrary:
    """A folder of MakeHuman assets (``clothes/``, ``hair/``, ``skins/``, ...)."""

    folder: Path

    def names(self, kind: str) -> list[str]:
        """Sorted names of the assets of a kind that have a proxy."""
        return list(_names(self.folder, kind))

    def proxy(self, kind: str, name: str) -> Proxy:
        """An asset, read once per process."""
        found = _proxy_path(self.folder, kind, name)
        if found is None:
            raise InputError(
                f"The asset {kind}/{name} is not in {self.folder}: check --assets or "
                f"{ASSETS_VARIABLE}."
            )
        return _cached_proxy(found)

    @property
    def outfits(self) -> list[str]:
        return [n for n in self.names("clothes") if "suit" in n]

    @property
    def shoes(self) -> list[str]:
        return [n for n in self.names("clothes") if n.startswith("shoes")]

    @property
    def skins(self) -> list[Path]:
        """Diffuse maps of natural skins."""
        return list(_skins(self.folder))


@lru_cache(maxsize=256)
def _proxy_path(folder: Path, kind: str, name: str) -> Path | None:
    return min((folder / kind / name).glob("*.mhclo"), default=None)


@lru_cache(maxsize=64)
def _names(folder: Path, kind: str) -> tuple[str, ...]:
    return tuple(sorted(p.parent.name for p in folder.glob(f"{kind}/*/*.mhclo")))


@lru_cache(maxsize=8)
def _skins(folder: Path) -> tuple[Path, ...]:
    found = folder.glob("skins/*/*diffuse*.webp")
    return tuple(sorted(p for p in found if "special" not in p.name))


@lru_cache(maxsize=256)
def _cached_proxy(path: Path) -> Proxy:
    from vitruvian.lab.synthesis.anatomy import cache_folder

    return cached_proxy(path, cache_folder() / "proxies")


def find_assets(folder: str | Path | None = None) -> AssetLibrary:
    """The assets in ``folder``, else in the folder that ``VITRUVIAN_ASSETS`` names.

    Raises ``InputError`` where there are none.
    """
    chosen = folder or os.environ.get(ASSETS_VARIABLE)
    if not chosen:
        raise InputError(
            "Synthetic people need MakeHuman's CC0 assets: give their folder with --assets or "
            f"{ASSETS_VARIABLE} (docs/synthesis.md says where to get them)."
        )
    library = AssetLibrary(Path(chosen))
    if not library.names("clothes"):
        raise InputError(
            f"There are no MakeHuman assets in {chosen}: it must hold clothes/, hair/ and skins/ "
            "(docs/synthesis.md says where to get them)."
        )
    return library
