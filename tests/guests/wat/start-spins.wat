;; Never gets through its instantiation: the start function of its core module does not end.
(component
    (core module $m
        (func $spin (loop $again (br $again)))
        (start $spin)
        (func (export "run") (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command))
)
