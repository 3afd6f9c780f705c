;; A plugin of a later contract: exports `step` in a version that this host does not know.
(component
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func $run (canon lift (core func $i "run")))
    (instance $step (export "run" (func $run)))
    (export "windlass:step/step@0.2.0" (instance $step))
)
