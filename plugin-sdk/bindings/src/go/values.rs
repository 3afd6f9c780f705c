//! How values are written into memory for the host, and how the host's are read.

use std::collections::BTreeSet;

use super::{Form, Package, case_name, is_list, names};
use crate::Failed;
use crate::contract::{Case, Field, Type};
use crate::text::Text;

/// Code of a package that passes values.
pub(super) struct Code<'p> {
    pub(super) package: &'p Package<'p>,
    pub(super) text: Text,
    /// Own types for which functions `storeT` are needed.
    stored: BTreeSet<String>,
    /// Own types for which functions `loadT` are needed.
    loaded: BTreeSet<String>,
    /// The packages that are named.
    pub(super) used: BTreeSet<String>,
    /// How many variables have been made up.
    made: usize,
}

impl<'p> Code<'p> {
    pub(super) fn new(package: &'p Package<'p>) -> Self {
        Self {
            package,
            text: Text::default(),
            stored: BTreeSet::new(),
            loaded: BTreeSet::new(),
            used: BTreeSet::new(),
            made: 0,
        }
    }

    /// A name that no other variable has.
    pub(super) fn fresh(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}{}", self.made)
    }

    /// A type as Go writes it here.
    pub(super) fn go(&mut self, ty: &Type) -> String {
        self.used.extend(self.package.named([ty]));
        self.package.go(ty)
    }

    /// A type of this package by its name in the contract, if it is one.
    fn own<'t>(&self, interface: &str, name: &'t str) -> Option<&'t str> {
        (interface == self.package.interface.name).then_some(name)
    }

    /// Writes a value into memory that is zero so far.
    pub(super) fn store(&mut self, ty: &Type, at: &str, offset: usize, value: &str) -> Result<(), Failed> {
        match ty {
            Type::Bool => self.text.line(format!("abi.PutBool({at}, {offset}, {value})")),
            Type::String => self.text.line(format!("f.PutString({at}, {offset}, {value})")),
            Type::Bytes => self.text.line(format!("f.PutBytes({at}, {offset}, {value})")),
            Type::List(inner) => {
                let (list, size) = (self.fresh("list"), self.package.contract.size(inner)?);
                self.text.line(format!("{list} := f.PutList({at}, {offset}, len({value}), {size})"));
                self.elements(inner, &list, value)?;
            }
            Type::Option(inner) => {
                let payload = self.package.contract.payload([Some(&**inner)])?;
                self.text.line(format!("if {value} != nil {{"));
                self.text.line(format!("abi.Put[uint8]({at}, {offset}, 1)"));
                let value = given(inner, value);
                self.store(inner, at, offset + payload, &value)?;
                self.text.line("}");
            }
            Type::Named(interface, name) => match self.package.form(interface, name)? {
                Form::Enum => self.text.line(format!("abi.Put({at}, {offset}, {value})")),
                Form::Value => {
                    self.text.line(format!("abi.PutBool({at}, {offset}, {value}.IsSecret)"));
                    self.text.line(format!("f.PutString({at}, {}, {value}.Text)", offset + 4));
                }
                Form::Record(_) | Form::Choice(_) if self.own(interface, name).is_some() => {
                    self.stored.insert(name.clone());
                    self.text.line(format!("store{}(f, {}, {value})", names::public(name), place(at, offset)));
                }
                Form::Record(fields) => self.store_fields(fields, at, offset, value)?,
                Form::Choice(_) | Form::Error => return Err(format!("{interface}.{name} cannot be passed").into()),
            },
            _ => self.text.line(format!("abi.Put({at}, {offset}, {value})")),
        }
        Ok(())
    }

    /// Writes the elements of a list to where it is.
    pub(super) fn elements(&mut self, inner: &Type, list: &str, value: &str) -> Result<(), Failed> {
        let size = self.package.contract.size(inner)?;
        let index = self.fresh("i");
        self.text.line(format!("for {index} := range {value} {{"));
        let at = self.fresh("at");
        self.text.line(format!("{at} := unsafe.Add({list}, {index}*{size})"));
        self.store(inner, &at, 0, &format!("{value}[{index}]"))?;
        self.text.line("}");
        Ok(())
    }

    fn store_fields(&mut self, fields: &[Field], at: &str, offset: usize, value: &str) -> Result<(), Failed> {
        let (offsets, _) = self.package.contract.offsets(fields)?;
        for (field, within) in fields.iter().zip(offsets) {
            self.store(&field.ty, at, offset + within, &format!("{value}.{}", names::public(&field.name)))?;
        }
        Ok(())
    }

    /// Reads a value into a variable that is zero so far.
    pub(super) fn load(&mut self, ty: &Type, at: &str, offset: usize, into: &str) -> Result<(), Failed> {
        match ty {
            Type::Bool => self.text.line(format!("{into} = abi.GetBool({at}, {offset})")),
            Type::String => self.text.line(format!("{into} = abi.GetString({at}, {offset})")),
            Type::Bytes => self.text.line(format!("{into} = abi.GetBytes({at}, {offset})")),
            Type::List(inner) => {
                let (list, length, index) = (self.fresh("list"), self.fresh("length"), self.fresh("i"));
                let (size, element) = (self.package.contract.size(inner)?, self.fresh("at"));
                self.text.line(format!("{list}, {length} := abi.GetList({at}, {offset})"));
                let made = self.go(ty);
                self.text.line(format!("{into} = make({made}, {length})"));
                self.text.line(format!("for {index} := range {into} {{"));
                self.text.line(format!("{element} := unsafe.Add({list}, {index}*{size})"));
                self.load(inner, &element, 0, &format!("{into}[{index}]"))?;
                self.text.line("}");
            }
            Type::Option(inner) => {
                let payload = self.package.contract.payload([Some(&**inner)])?;
                self.text.line(format!("if abi.GetBool({at}, {offset}) {{"));
                if is_list(inner) {
                    self.load(inner, at, offset + payload, into)?;
                } else {
                    let value = self.fresh("value");
                    let kind = self.go(inner);
                    self.text.line(format!("var {value} {kind}"));
                    self.load(inner, at, offset + payload, &value)?;
                    self.text.line(format!("{into} = &{value}"));
                }
                self.text.line("}");
            }
            Type::Named(interface, name) => match self.package.form(interface, name)? {
                Form::Record(_) if self.own(interface, name).is_some() => {
                    self.loaded.insert(name.clone());
                    self.text.line(format!("{into} = load{}({})", names::public(name), place(at, offset)));
                }
                Form::Record(fields) => self.load_fields(fields, at, offset, into)?,
                Form::Enum => {
                    let kind = self.go(ty);
                    self.text.line(format!("{into} = abi.Get[{kind}]({at}, {offset})"));
                }
                Form::Value | Form::Choice(_) | Form::Error => {
                    return Err(format!("{interface}.{name} cannot be given").into());
                }
            },
            _ => self.text.line(format!("{into} = abi.Get[{}]({at}, {offset})", self.package.go(ty))),
        }
        Ok(())
    }

    fn load_fields(&mut self, fields: &[Field], at: &str, offset: usize, into: &str) -> Result<(), Failed> {
        let (offsets, _) = self.package.contract.offsets(fields)?;
        for (field, within) in fields.iter().zip(offsets) {
            self.load(&field.ty, at, offset + within, &format!("{into}.{}", names::public(&field.name)))?;
        }
        Ok(())
    }

    /// Writes the functions that were needed, and those that they need.
    pub(super) fn functions(&mut self) -> Result<(), Failed> {
        let (mut stored, mut loaded) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let next = |needed: &BTreeSet<String>, done: &BTreeSet<String>| needed.difference(done).next().cloned();
            if let Some(name) = next(&self.stored, &stored) {
                self.storing(&name)?;
                stored.insert(name);
            } else if let Some(name) = next(&self.loaded, &loaded) {
                self.loading(&name)?;
                loaded.insert(name);
            } else {
                return Ok(());
            }
        }
    }

    fn storing(&mut self, name: &str) -> Result<(), Failed> {
        let public = names::public(name);
        self.made = 0;
        self.text.lines(["", &format!("func store{public}(f *abi.Frame, at unsafe.Pointer, v {public}) {{")]);
        let package = self.package;
        match package.form(&package.interface.name, name)? {
            Form::Record(fields) => self.store_fields(fields, "at", 0, "v")?,
            Form::Choice(cases) => self.store_cases(name, cases)?,
            _ => return Err(format!("{name} is neither fields nor cases").into()),
        }
        self.text.line("}");
        Ok(())
    }

    fn store_cases(&mut self, name: &str, cases: &[Case]) -> Result<(), Failed> {
        let payload = self.package.contract.payload(cases.iter().map(|case| case.ty.as_ref()))?;
        self.text.line("switch v := v.(type) {");
        self.missing(name, cases);
        for (index, case) in cases.iter().enumerate() {
            self.text.line(format!("case {}:", case_name(name, &case.name)));
            self.text.line(format!("abi.Put[uint8](at, 0, {index})"));
            if let Some(ty) = &case.ty {
                let value = format!("{}(v)", self.go(ty));
                self.store(ty, "at", payload, &value)?;
            }
        }
        self.text.line("}");
        Ok(())
    }

    /// Nothing is the first case, if that carries nothing. Else somebody has forgotten to say which.
    pub(super) fn missing(&mut self, name: &str, cases: &[Case]) {
        if cases.first().is_some_and(|case| case.ty.is_some()) {
            let what = format!("{}.{}", self.package.interface.name, names::public(name));
            self.text.lines(["case nil:", &format!("panic(\"a {what} is nil\")")]);
        }
    }

    fn loading(&mut self, name: &str) -> Result<(), Failed> {
        let public = names::public(name);
        self.made = 0;
        self.text.lines(["", &format!("func load{public}(at unsafe.Pointer) (v {public}) {{")]);
        let package = self.package;
        match package.form(&package.interface.name, name)? {
            Form::Record(fields) => self.load_fields(fields, "at", 0, "v")?,
            _ => return Err(format!("{name} has no fields").into()),
        }
        self.text.lines(["return v", "}"]);
        Ok(())
    }
}

/// What an option holds.
pub(super) fn given(inner: &Type, value: &str) -> String {
    if is_list(inner) { value.to_owned() } else { format!("*{value}") }
}

fn place(at: &str, offset: usize) -> String {
    if offset == 0 { at.to_owned() } else { format!("unsafe.Add({at}, {offset})") }
}
