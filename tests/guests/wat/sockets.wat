;; Imports sockets, which are closed to plugins.
(component
    (import "wasi:sockets/instance-network@0.2.0" (instance
        (export "network" (type $network (sub resource)))
        (export "instance-network" (func (result (own $network))))))
    (core module $m (func (export "run") (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command))
)
