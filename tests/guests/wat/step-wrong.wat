;; Exports a `step` with functions of other types than the contract's.
(component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (func $f (canon lift (core func $i "f")))
    (instance $step (export "describe" (func $f)) (export "run" (func $f)))
    (export "windlass:step/step@0.1.0" (instance $step))
)
