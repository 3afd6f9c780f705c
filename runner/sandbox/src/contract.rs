//! The Rust side of the contract in `wit/`, as wasmtime generates it.

#![allow(missing_docs, reason = "generated from the WIT, where everything is documented")]
#![allow(unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "windlass:plugin/plugin",
    imports: { default: async | trappable },
    exports: { default: async },
    additional_derives: [windlass_wire::Wire],
});
