"""jaxtyping's annotations, or where it is not installed ones that say nothing: an exported detector does without it."""

try:
    from jaxtyping import Bool, Float, Int
except ImportError:

    class _Unchecked:
        def __class_getitem__(cls, item: tuple[type, str]) -> type:
            return item[0]

    Bool = Float = Int = _Unchecked

__all__ = ["Bool", "Float", "Int"]
