//! Looking at objects of a domain without opening them.

use crossmem_core::{
    DomainName, Fact, Holder, Kind, Observed, SeenNamedLock, Subject, Waiter, Worth, observe,
};
use napi::bindgen_prelude::{JsObjectValue, Object, ToNapiValue, Uint8Array};
use napi::{Env, sys};
use napi_derive::napi;

use crate::error::{Result, js};

/// An object to look at, as `inspect_domain` lists it.
#[napi(object)]
pub struct SubjectRow {
    /// Its name.
    pub name: String,
    /// Name of its class.
    pub kind: String,
}

/// The state of an object: a JavaScript object with a number or a flag for each fact.
#[derive(Default)]
pub struct Facts(pub Vec<Fact>);

impl ToNapiValue for Facts {
    unsafe fn to_napi_value(env: sys::napi_env, Facts(facts): Facts) -> napi::Result<sys::napi_value> {
        let env = Env::from_raw(env);
        let mut object = Object::new(&env)?;
        for (name, worth) in facts {
            match worth {
                Worth::Count(count) => object.set_named_property(name, count as f64)?,
                Worth::Flag(flag) => object.set_named_property(name, flag)?,
            }
        }
        // SAFETY: the object is of that environment.
        unsafe { Object::to_napi_value(env.raw(), object) }
    }
}

/// An agent that holds something of an object.
#[napi(object)]
pub struct HolderRow {
    /// Its slot; none if it died, and lost the slot.
    pub slot: Option<u32>,
    /// Whether it is alive.
    pub alive: bool,
    /// What it holds.
    pub holds: String,
    /// How many of these.
    pub count: u32,
}

/// A living agent that waits at an object.
#[napi(object)]
pub struct WaiterRow {
    /// Its slot.
    pub slot: u32,
    /// What it waits for.
    pub waits_for: String,
    /// In how many requests.
    pub count: u32,
}

/// A request for a named lock.
#[napi(object)]
pub struct NamedLockRow {
    /// Name of the lock.
    pub name: Uint8Array,
    /// Whether the lock is shared, not exclusive.
    pub shared: bool,
    /// Whether it holds the lock, or waits for it.
    pub held: bool,
    /// The slot of its agent; none if the agent died, and lost the slot.
    pub slot: Option<u32>,
    /// Whether that agent is alive.
    pub alive: bool,
}

/// Why an object can't be looked at.
#[napi(object)]
pub struct ProblemRow {
    /// A stable code.
    pub code: String,
    /// What to do.
    pub message: String,
}

/// What an onlooker sees of an object. A list without items is left out: most objects have none,
/// and there may be 65,536 of them.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct ObservedRow {
    /// Its state.
    #[napi(ts_type = "Record<string, number | boolean>")]
    pub facts: Facts,
    /// The agents that hold something of it.
    pub holders: Option<Vec<HolderRow>>,
    /// The agents that wait at it.
    pub waiters: Option<Vec<WaiterRow>>,
    /// Of the table of named locks: all requests, the oldest first.
    pub requests: Option<Vec<NamedLockRow>>,
    /// Of a `Value` or `SharedArray`: the parameters that it was made with.
    pub params: Option<Vec<f64>>,
    /// Of a `Value`: the bytes of its number, and zeros.
    pub number: Option<Uint8Array>,
    /// If it can't be looked at: why.
    pub problem: Option<ProblemRow>,
}

/// Looks at objects of a domain without joining it. A class that this version doesn't know is not
/// looked at.
///
/// # Errors
/// As `observe`, for the domain. Those for an object are its `problem`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn observe_objects(
    domain: String,
    group: Option<String>,
    objects: Vec<SubjectRow>,
) -> Result<Vec<ObservedRow>> {
    let subjects: Vec<Subject<'_>> = objects
        .iter()
        .map(|SubjectRow { name, kind }| Subject {
            name,
            kind: Kind::parse(kind).unwrap_or(Kind::SharedMemory),
        })
        .collect();
    let seen = observe(DomainName { name: &domain, group: group.as_deref() }, &subjects).map_err(js)?;
    Ok(seen.into_iter().map(observed_row).collect())
}

fn observed_row(seen: crossmem_core::Result<Observed>) -> ObservedRow {
    match seen {
        Ok(seen) => ObservedRow {
            facts: Facts(seen.facts),
            holders: unless_empty(seen.holders, holder_row),
            waiters: unless_empty(seen.waiters, waiter_row),
            requests: unless_empty(seen.requests, named_lock_row),
            params: seen.params.map(|params| params.map(|param| param as f64).to_vec()),
            number: seen.number.map(|number| Uint8Array::from(number.to_vec())),
            problem: None,
        },
        Err(error) => {
            let problem = ProblemRow { code: error.code.as_str().to_owned(), message: error.message };
            ObservedRow { problem: Some(problem), ..ObservedRow::default() }
        }
    }
}

fn unless_empty<T, R>(items: Vec<T>, row: impl FnMut(T) -> R) -> Option<Vec<R>> {
    (!items.is_empty()).then(|| items.into_iter().map(row).collect())
}

#[allow(clippy::needless_pass_by_value)]
fn holder_row(Holder { slot, alive, hold, count }: Holder) -> HolderRow {
    HolderRow { slot: slot.map(|slot| slot as u32), alive, holds: hold.as_str().to_owned(), count }
}

#[allow(clippy::needless_pass_by_value)]
fn waiter_row(Waiter { slot, aim, count }: Waiter) -> WaiterRow {
    WaiterRow { slot: slot as u32, waits_for: aim.as_str().to_owned(), count }
}

fn named_lock_row(SeenNamedLock { name, shared, held, slot, alive }: SeenNamedLock) -> NamedLockRow {
    NamedLockRow { name: Uint8Array::from(name), shared, held, slot: slot.map(|slot| slot as u32), alive }
}
