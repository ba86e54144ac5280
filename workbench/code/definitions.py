"""How each language defines things: which nodes of its grammar are entities, and where their parts stand."""

from __future__ import annotations

import msgspec

from workbench.code.model import EntityKind


class Definition(msgspec.Struct, frozen=True):
    """A node that defines something. `name` and `body` are fields of it; the rest of it is its signature."""

    kind: EntityKind
    name: str = "name"
    body: str = "body"
    holds: bool = False  # whether there are entities in its body that carry its name
    holding: str = ""  # the only kind of body that holds any; empty: each does


class Grammar(msgspec.Struct, frozen=True):
    """The entities of one language."""

    definitions: dict[str, Definition]
    wrappers: dict[str, tuple[str, ...]]  # a node to the fields or kinds of children in which the definition is
    open: frozenset[str]  # nodes that are looked into, as if what they hold stood around them


_FUNCTION, _CLASS = Definition("function"), Definition("class", holds=True)
_BARE = Definition("import", name="", body="")

PYTHON = Grammar(
    definitions={
        "function_definition": _FUNCTION,
        "class_definition": _CLASS,
        "assignment": Definition("constant", name="left", body="right"),
        "type_alias_statement": Definition("constant", name="left", body="right"),
        "import_statement": _BARE,
        "import_from_statement": _BARE,
        "future_import_statement": _BARE,
    },
    wrappers={"decorated_definition": ("definition",), "expression_statement": ("assignment",)},
    open=frozenset(
        {"if_statement", "else_clause", "elif_clause", "try_statement", "except_clause", "finally_clause"}
        | {"with_statement", "block", "except_group_clause"}
    ),
)

JAVASCRIPT = Grammar(
    definitions={
        "function_declaration": _FUNCTION,
        "generator_function_declaration": _FUNCTION,
        "function_signature": _FUNCTION,
        "class_declaration": _CLASS,
        "abstract_class_declaration": _CLASS,
        "class": _CLASS,
        "interface_declaration": _CLASS,
        "enum_declaration": Definition("class"),
        "type_alias_declaration": Definition("class", body="value"),
        "internal_module": Definition("module", holds=True),
        "module": Definition("module", holds=True),
        "variable_declarator": Definition("constant", body="value"),
        "assignment_expression": Definition("constant", name="left", body="right"),  # `A.prototype.f = function`
        "call_expression": Definition("function", name="arguments", body="arguments"),  # `it("counts", () => {})`
        "method_definition": Definition("method"),
        "method_signature": Definition("method"),
        "abstract_method_signature": Definition("method"),
        "field_definition": Definition("constant", name="property", body="value"),
        "public_field_definition": Definition("constant", body="value"),
        "property_signature": Definition("constant", body="type"),
        "import_statement": _BARE,
        "export_specifier": _BARE,  # of what others define, as the next two
        "namespace_export": _BARE,
        "string": _BARE,  # the whole of a module, in `export * from`
    },
    wrappers={
        "export_statement": ("declaration", "value", "export_clause", "namespace_export", "source"),
        "export_clause": ("export_specifier",),
        "ambient_declaration": (
            "function_signature", "class_declaration", "abstract_class_declaration", "interface_declaration",
            "enum_declaration", "type_alias_declaration", "internal_module", "module", "lexical_declaration",
            "variable_declaration",
        ),
        "lexical_declaration": ("variable_declarator",),
        "variable_declaration": ("variable_declarator",),
        "expression_statement": ("internal_module", "assignment_expression", "call_expression"),
    },
    open=frozenset(),
)  # fmt: skip

GO = Grammar(
    definitions={
        "function_declaration": _FUNCTION,
        "method_declaration": Definition("method"),
        "type_spec": Definition("class", body="type", holds=True, holding="interface_type"),
        "method_elem": Definition("method", body=""),
        "type_alias": Definition("class", body="type"),
        "const_spec": Definition("constant", body="value"),
        "var_spec": Definition("constant", body="value"),
        "import_spec": Definition("import", name="path", body=""),
    },
    wrappers={
        "type_declaration": ("type_spec", "type_alias"),
        "const_declaration": ("const_spec",),
        "var_declaration": ("var_spec", "var_spec_list"),
        "import_declaration": ("import_spec", "import_spec_list"),
        "var_spec_list": ("var_spec",),
        "import_spec_list": ("import_spec",),
    },
    open=frozenset(),
)

RUST = Grammar(
    definitions={
        "function_item": _FUNCTION,
        "function_signature_item": _FUNCTION,
        "macro_definition": Definition("function", body=""),
        "struct_item": Definition("class"),
        "enum_item": Definition("class"),
        "union_item": Definition("class"),
        "type_item": Definition("class", body="type"),
        "trait_item": _CLASS,
        "impl_item": Definition("class", name="type", holds=True),
        "mod_item": Definition("module", holds=True),
        "const_item": Definition("constant", body="value"),
        "static_item": Definition("constant", body="value"),
        "use_declaration": _BARE,
        "extern_crate_declaration": _BARE,
    },
    wrappers={},
    open=frozenset({"foreign_mod_item", "declaration_list"}),
)

GRAMMARS = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": JAVASCRIPT,
    "tsx": JAVASCRIPT,
    "go": GO,
    "rust": RUST,
}
FIELDS = frozenset(
    {"declaration", "definition", "source", "value"}
)  # what wrappers name that is a field, and no kind of node
PASSED_ON = ("export_specifier", "namespace_export", "string")  # what a script offers that it does not define
HEADS = frozenset({"attribute_item", "decorator"})  # siblings that belong to the definition below them
