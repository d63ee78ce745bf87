//! The macros that declare what may be written.

/// Declares a mapping with fixed keys: a struct, its decoder and its schema.
///
/// `or "key"` allows to write a scalar alone in place of a mapping with that key. A field named `explained_by` is
/// written `explained-by`. Every struct also gets `place`, the mapping as written. The optional `check` is called with
/// the decoded struct and the mapping, for what types cannot say; the optional `shape` says the same in the schema, as
/// far as a schema can.
macro_rules! spec {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident as $what:literal $(or $short:literal)? {
            $( $(#[doc = $about:literal])* pub $field:ident : $type:ty ),* $(,)?
        }
        $(check $check:ident)?
        $(shape $shape:ident)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[doc = $about])* pub $field: $type, )*
            /// Where it is written
            pub place: $crate::diagnostic::Place,
        }

        impl $crate::rulebook::decode::FromYaml for $name {
            fn from_yaml(
                yaml: &$crate::rulebook::yaml::Yaml,
                decoder: &mut $crate::rulebook::decode::Decoder,
            ) -> Option<Self> {
                $(
                    if let Some(mapping) = $crate::rulebook::decode::in_full(yaml, $short) {
                        return Self::from_yaml(&mapping, decoder);
                    }
                )?
                #[allow(unused_mut, reason = "a mapping may have no fields")]
                let mut fields = $crate::rulebook::decode::Fields::of(yaml, $what, decoder)?;
                #[allow(unused_mut, reason = "a mapping may have no fields")]
                let mut keys: Vec<String> = Vec::new();
                $(
                    let key = $crate::rulebook::decode::key_of(stringify!($field));
                    keys.extend(<$type as $crate::rulebook::decode::FromYaml>::keys(&key));
                    let $field = <$type as $crate::rulebook::decode::FromYaml>::take(&mut fields, &key, decoder);
                )*
                fields.finish(&keys, decoder);
                let spec = $name { $( $field: $field?, )* place: yaml.place };
                $( $check(&spec, yaml, decoder); )?
                Some(spec)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            #[allow(unused_variables, reason = "a mapping may have no fields")]
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                #[allow(unused_mut, reason = "a mapping may have no fields")]
                let mut object =
                    $crate::rulebook::decode::ObjectSchema::new(&$crate::rulebook::decode::prose(&[$($doc),*]));
                $(
                    <$type as $crate::rulebook::decode::FromYaml>::describe(
                        &mut object,
                        &$crate::rulebook::decode::key_of(stringify!($field)),
                        &$crate::rulebook::decode::prose(&[$($about),*]),
                        true,
                        generator,
                    );
                )*
                $( $shape(&mut object); )?
                $( object.short_for($short); )?
                object.finish()
            }
        }
    };
}

/// Declares an enum whose variants are keys, each with its value.
///
/// `in parent` means that the keys stand beside the other keys of the mapping that has such a field: exactly one of
/// them, or at most one where the field is an `Option`. `alone` means a mapping with one key, or the bare key where
/// its value may be empty.
macro_rules! choice {
    (@parts $(#[doc = $doc:literal])* $name:ident {
        $( $(#[doc = $about:literal])* $variant:ident ( $type:ty ) = $key:literal ),* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub enum $name {
            $( $(#[doc = $about])* $variant($type), )*
        }

        impl $name {
            /// The keys, in the order in which they are documented.
            pub const KEYS: &'static [&'static str] = &[$($key),*];

            /// The key that was written.
            pub fn key(&self) -> &'static str {
                match self {
                    $( $name::$variant(_) => $key, )*
                }
            }

            fn read(
                key: &str,
                yaml: &$crate::rulebook::yaml::Yaml,
                decoder: &mut $crate::rulebook::decode::Decoder,
            ) -> Option<Self> {
                match key {
                    $( $key => {
                        <$type as $crate::rulebook::decode::FromYaml>::from_yaml(yaml, decoder).map($name::$variant)
                    } )*
                    _ => None,
                }
            }

            fn options(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, String, schemars::Schema)> {
                vec![$( (
                    $key,
                    $crate::rulebook::decode::prose(&[$($about),*]),
                    generator.subschema_for::<$type>(),
                ), )*]
            }
        }
    };
    ($(#[doc = $doc:literal])* pub enum $name:ident in parent { $($body:tt)* }) => {
        choice!(@parts $(#[doc = $doc])* $name { $($body)* });

        impl $crate::rulebook::decode::FromYaml for $name {
            fn from_yaml(
                yaml: &$crate::rulebook::yaml::Yaml,
                decoder: &mut $crate::rulebook::decode::Decoder,
            ) -> Option<Self> {
                $crate::rulebook::decode::alone(yaml, Self::KEYS, Self::read, decoder)
            }

            fn find(
                fields: &mut $crate::rulebook::decode::Fields<'_>,
                _: &str,
                decoder: &mut $crate::rulebook::decode::Decoder,
            ) -> $crate::rulebook::decode::Found<Self> {
                $crate::rulebook::decode::among(fields, Self::KEYS, Self::read, decoder)
            }

            fn keys(_: &str) -> Vec<String> {
                Self::KEYS.iter().map(|key| (*key).to_owned()).collect()
            }

            fn describe(
                object: &mut $crate::rulebook::decode::ObjectSchema,
                _: &str,
                _: &str,
                required: bool,
                generator: &mut schemars::SchemaGenerator,
            ) {
                for (key, about, schema) in Self::options(generator) {
                    object.property(key, &about, schema);
                }
                object.one_of(Self::KEYS, required);
            }
        }

        choice!(@schema $(#[doc = $doc])* $name);
    };
    ($(#[doc = $doc:literal])* pub enum $name:ident alone { $($body:tt)* }) => {
        choice!(@parts $(#[doc = $doc])* $name { $($body)* });

        impl $crate::rulebook::decode::FromYaml for $name {
            fn from_yaml(
                yaml: &$crate::rulebook::yaml::Yaml,
                decoder: &mut $crate::rulebook::decode::Decoder,
            ) -> Option<Self> {
                $crate::rulebook::decode::alone(yaml, Self::KEYS, Self::read, decoder)
            }
        }

        choice!(@schema $(#[doc = $doc])* $name);
    };
    (@schema $(#[doc = $doc:literal])* $name:ident) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let options = Self::options(generator);
                $crate::rulebook::decode::one_key_of(
                    &$crate::rulebook::decode::prose(&[$($doc),*]),
                    options,
                    generator.definitions(),
                )
            }
        }
    };
}

/// Declares an enum that is written as one word of a closed list.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident as $what:literal {
            $( $(#[doc = $about:literal])* $variant:ident = $word:literal ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[doc = $about])* $variant, )*
        }

        impl $name {
            /// Every word, in the order in which they are documented.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The word as it is written.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( $name::$variant => $word, )*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::rulebook::decode::FromYaml for $name {
            fn from_yaml(
                yaml: &$crate::rulebook::yaml::Yaml,
                decoder: &mut $crate::rulebook::decode::Decoder,
            ) -> Option<Self> {
                let word = $crate::rulebook::decode::word(yaml, $what, &[$($word),*], decoder)?;
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::rulebook::decode::closed_words(
                    &$crate::rulebook::decode::prose(&[$($doc),*]),
                    &[$( ($word, &$crate::rulebook::decode::prose(&[$($about),*])) ),*],
                )
            }
        }
    };
}
