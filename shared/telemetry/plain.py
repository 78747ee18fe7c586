"""structlog without rich.

structlog loads rich wherever it is installed, to draw tracebacks on a console. Ours are JSON, and rich is half of what
structlog takes of a start's time.
"""

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
_known = {name: _modules[name] for name in ("rich",) if name in _modules}
_modules["rich"] = None
try:
    import structlog
finally:
    del _modules["rich"]
    _modules.update(_known)

__all__ = ["structlog"]
