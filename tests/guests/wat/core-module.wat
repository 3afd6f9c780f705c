;; No component at all, but a core module.
(module
    (func (export "run") (result i32) i32.const 0))
