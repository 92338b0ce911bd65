"""Numbers of neighbouring paths as one value: what the clauses compute with when a deal is paid down many paths at once.

A pack is ``WIDTH`` float64 side by side, which the compiler keeps in vector registers; a mask is as many truth values. The clauses
are written once, for a number or for a pack; what they may not do with a pack is branch, so they choose:

    choose(condition, a, b)  -> ``a`` where the condition holds, else ``b``; both are computed
    some(condition)          -> whether it holds on any path; one may branch on that
    no(condition)            -> where it does not hold
    pack_at(row, start)      -> ``WIDTH`` numbers of a contiguous row, from ``start`` on
    put_at(row, start, pack) -> the inverse
    in_lanes(record)         -> blank columns like the record's, a pack or a mask each, on the stack

Conditions are combined by ``&`` and ``|``.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin, lower_cast, lower_getattr_generic, lower_setattr_generic
from numba.core.typeconv.castgraph import Conversion
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import intrinsic, models, register_model

WIDTH = 16


class Pack(types.Type):
    """Float64 side by side."""

    def __init__(self) -> None:
        super().__init__(name=f"Pack({WIDTH})")

    def can_convert_from(self, typingctx, other):
        return Conversion.safe if isinstance(other, types.Number) else None


class Mask(types.Type):
    """Truth values side by side."""

    def __init__(self) -> None:
        super().__init__(name=f"Mask({WIDTH})")

    def can_convert_from(self, typingctx, other):
        return Conversion.safe if isinstance(other, types.Boolean) else None


kernel: Any = intrinsic  # the type checker would look for the compiler's own argument at each call
pack, mask = Pack(), Mask()
NUMBERS, TRUTHS = ir.VectorType(ir.DoubleType(), WIDTH), ir.VectorType(ir.IntType(1), WIDTH)


@register_model(Pack)
class PackModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, NUMBERS)


@register_model(Mask)
class MaskModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, TRUTHS)


def filled(builder, value):
    """The same value on all paths."""
    single = ir.VectorType(value.type, WIDTH)
    first = builder.insert_element(ir.Constant(single, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    spread = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(single, ir.Undefined), spread)


@lower_cast(types.Number, Pack)
def number_to_pack(context, builder, source, target, value):
    return filled(builder, context.cast(builder, value, source, types.float64))


@lower_cast(types.Boolean, Mask)
def truth_to_mask(context, builder, source, target, value):
    return filled(builder, context.cast(builder, value, source, types.boolean))


def operation(functions, build, takes, gives):
    """Teach the compiler an operation on two packs, or on two masks, of which one may be a plain value."""

    class Template(AbstractTemplate):
        def generic(self, args, kws):
            plain = types.Number if takes is pack else types.Boolean
            fits = len(args) == 2 and takes in args and all(kind == takes or isinstance(kind, plain) for kind in args)
            return signature(gives, takes, takes) if fits else None

    for function in functions:
        infer_global(function)(type("Template", (Template,), {"key": function}))

        @lower_builtin(function, takes, takes)
        def lower(context, builder, sig, args):
            return build(builder, *args)


def compared(sign):
    return lambda builder, a, b: builder.fcmp_ordered(sign, a, b) if sign != "!=" else builder.fcmp_unordered(sign, a, b)


operation((operator.add, operator.iadd), ir.IRBuilder.fadd, pack, pack)
operation((operator.sub, operator.isub), ir.IRBuilder.fsub, pack, pack)
operation((operator.mul, operator.imul), ir.IRBuilder.fmul, pack, pack)
operation((operator.truediv, operator.itruediv), ir.IRBuilder.fdiv, pack, pack)
operation((operator.and_, operator.iand), ir.IRBuilder.and_, mask, mask)
operation((operator.or_, operator.ior), ir.IRBuilder.or_, mask, mask)
for function, sign in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    operation((function,), compared(sign), pack, mask)
operation((min,), lambda builder, a, b: builder.select(builder.fcmp_ordered("<", b, a), b, a), pack, pack)
operation((max,), lambda builder, a, b: builder.select(builder.fcmp_ordered(">", b, a), b, a), pack, pack)


def choose(condition, a, b):
    """``a`` where the condition holds, else ``b``."""
    return a if condition else b


def some(condition):
    """Whether the condition holds on any path."""
    return condition


def no(condition):
    """Where the condition does not hold."""
    return not condition


@infer_global(choose)
class Choose(AbstractTemplate):
    def generic(self, args, kws):
        condition, a, b = args
        truths = all(isinstance(kind, (Mask, types.Boolean)) for kind in (a, b))
        if mask in (condition, a, b) or pack in (a, b):
            kind = mask if truths else pack
            return signature(kind, mask, kind, kind)
        kind = self.context.unify_pairs(a, b)
        return signature(kind, types.boolean, kind, kind)


@lower_builtin(choose, types.Any, types.Any, types.Any)
def select(context, builder, sig, args):
    return builder.select(*args)


@infer_global(some)
class Some(AbstractTemplate):
    def generic(self, args, kws):
        return signature(types.boolean, mask if args[0] == mask else types.boolean)


@lower_builtin(some, Mask)
def any_of(context, builder, sig, args):
    bits = builder.bitcast(args[0], ir.IntType(WIDTH))
    return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))


@lower_builtin(some, types.Boolean)
def itself(context, builder, sig, args):
    return args[0]


@infer_global(no)
class No(AbstractTemplate):
    def generic(self, args, kws):
        kind = mask if args[0] == mask else types.boolean
        return signature(kind, kind)


@lower_builtin(no, Mask)
@lower_builtin(no, types.Boolean)
def inverse(context, builder, sig, args):
    return builder.not_(args[0])


@infer_global(abs)
class Absolute(AbstractTemplate):
    def generic(self, args, kws):
        return signature(pack, pack) if args == (pack,) else None


@lower_builtin(abs, Pack)
def absolute(context, builder, sig, args):
    return builder.select(builder.fcmp_ordered("<", args[0], ir.Constant(NUMBERS, [0.0] * WIDTH)), builder.fneg(args[0]), args[0])


# Records of packs.


class Lanes(types.Type):
    """Columns of a record, a pack or a mask each; ``form`` is the record's type."""

    def __init__(self, form: types.Record) -> None:
        self.form = form
        self.columns = tuple(form.fields)
        super().__init__(name=f"Lanes({WIDTH}, {form.name})")

    @property
    def mangling_args(self):
        return type(self).__name__, (self.form,)

    def column(self, name: str) -> types.Type:
        """What reading a column gives."""
        form = self.form.fields[name].type
        if isinstance(form, types.NestedArray):
            return Column(element(form.dtype), form.shape[0])
        return form if name == "age" else element(form)

    def places(self) -> ir.LiteralStructType:
        """Where its columns lie: memory of its own each, so that the compiler can keep it in registers."""
        return ir.LiteralStructType([ir.PointerType(memory(self.column(name))) for name in self.columns])


class Column(types.Type):
    """A column by class."""

    def __init__(self, kind: types.Type, count: int) -> None:
        self.kind, self.count = kind, count
        super().__init__(name=f"Column({kind}, {count})")


def element(form: types.Type) -> types.Type:
    """Of a column of such numbers."""
    return mask if isinstance(form, types.Boolean) else pack


def memory(kind: types.Type) -> ir.Type:
    """How a column lies in memory."""
    if isinstance(kind, Column):
        return ir.ArrayType(memory(kind.kind), kind.count)
    return NUMBERS if kind == pack else TRUTHS if kind == mask else ir.IntType(64)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, kind.places())


@register_model(Column)
class ColumnModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.PointerType(memory(kind)))


@infer_getattr
class LanesAttribute(AttributeTemplate):
    key = Lanes

    def generic_resolve(self, kind, name):  # type: ignore[override]
        return kind.column(name) if name in kind.columns else None


def address(builder, kind, value, name):
    return builder.extract_value(value, kind.columns.index(name))


@lower_getattr_generic(Lanes)
def get_column(context, builder, kind, value, name):
    at = address(builder, kind, value, name)
    return at if isinstance(kind.column(name), Column) else builder.load(at)


@lower_setattr_generic(Lanes)
def set_column(context, builder, sig, args, name):
    builder.store(args[1], address(builder, sig.args[0], args[0], name))


@infer_global(operator.getitem)
class GetClass(AbstractTemplate):
    def generic(self, args, kws):
        column, k = args
        if isinstance(column, Column) and isinstance(k, types.Integer):
            return signature(column.kind, column, types.intp)
        return None


def class_address(builder, column, k):
    return builder.gep(column, [ir.Constant(k.type, 0), k], inbounds=True)


@lower_builtin(operator.getitem, Column, types.Integer)
def get_class(context, builder, sig, args):
    return builder.load(class_address(builder, *args))


@infer_global(operator.setitem)
class SetClass(AbstractTemplate):
    def generic(self, args, kws):
        column, k, _ = args
        if isinstance(column, Column) and isinstance(k, types.Integer):
            return signature(types.none, column, types.intp, column.kind)
        return None


@lower_builtin(operator.setitem, Column, types.Integer, types.Any)
def set_class(context, builder, sig, args):
    builder.store(args[2], class_address(builder, *args[:2]))
    return context.get_dummy_value()


@kernel
def in_lanes(typingctx, record):
    """Blank columns like those of a record, on the stack."""
    kind = Lanes(record)

    def build(context, builder, sig, args):
        lanes = ir.Constant(kind.places(), ir.Undefined)
        for i, place in enumerate(kind.places().elements):
            column = cgutils.alloca_once(builder, place.pointee)
            builder.store(ir.Constant(place.pointee, None), column)
            lanes = builder.insert_value(lanes, column, i)
        return lanes

    return signature(kind, record), build


def row_address(context, builder, kind, row, start):
    data = context.make_array(kind)(context, builder, row).data
    return builder.bitcast(builder.gep(data, [start], inbounds=True), ir.PointerType(NUMBERS))


@kernel
def pack_at(typingctx, row, start):
    """Numbers of a contiguous row from ``start`` on."""

    def build(context, builder, sig, args):
        return builder.load(row_address(context, builder, sig.args[0], *args), align=8)

    return signature(pack, row, types.intp), build


@kernel
def put_at(typingctx, row, start, value):
    """Write numbers into a contiguous row from ``start`` on."""

    def build(context, builder, sig, args):
        builder.store(args[2], row_address(context, builder, sig.args[0], *args[:2]), align=8)
        return context.get_dummy_value()

    return signature(types.void, row, types.intp, pack), build
