;; A program for wasm32-wasip1, as compilers make it that know no components: prints a line and exits with code 3.
(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    ;; Where the line stands and how long it is.
    (data (i32.const 16) "\20\00\00\00\12\00\00\00")
    (data (i32.const 32) "hello from wasip1\n")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
        (call $exit (i32.const 3))))
