//! What the plugin does.

use windlass_plugin::prelude::*;

/// What a step gives to the plugin.
#[with]
struct With {
    /// Whom to greet.
    name: String,
}

/// What a step gives to later ones.
#[outputs]
struct Outputs {
    /// The greeting.
    greeting: String,
}

/// Greets somebody.
#[plugin]
fn greet(with: With) -> Result<Outputs> {
    ensure!(!with.name.is_empty(), "there is nobody to greet");
    let greeting = format!("hello, {}", with.name);
    info!("{greeting}");
    Ok(Outputs { greeting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_greeted() {
        let outputs = greet(With { name: "world".to_owned() }).expect("it greets");
        assert_eq!(outputs.greeting, "hello, world");
    }

    #[test]
    fn nobody_is_not() {
        assert!(greet(With { name: String::new() }).is_err());
    }

    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<Greet>(), [""; 0]);
    }
}
