"""From trained PyTorch modules to a model package (``models/README.md``): graphs, quantisation, manifest, fixture."""

from anyflow.export.manifest import PackageError, PackageInfo, check_package
from anyflow.export.package import export_package

__all__ = ["PackageError", "PackageInfo", "check_package", "export_package"]
