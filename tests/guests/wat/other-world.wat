;; Of another world: exports neither `step` nor `wasi:cli/run`.
(component
    (core module $m (func (export "greet")))
    (core instance $i (instantiate $m))
    (func $greet (canon lift (core func $i "greet")))
    (instance $other (export "greet" (func $greet)))
    (export "windlass:other/other@0.1.0" (instance $other))
)
