//! Browsers that are signed in.
//!
//! A browser holds the secret of its session, never the token: what is stolen from it is worth twelve hours, and nothing after a sign-out or a
//! restart. Sessions are in memory only, by the hash of their secret: looking a hash up tells nobody, by how long it takes, how much of a
//! secret was right.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::access::Caller;

/// How long a session lasts in which nothing is asked for.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// The most sessions. Whoever comes then takes the place of the one that was not used for the longest time.
const SESSIONS_MAX: usize = 1_000;
/// Bytes of a secret: 256 bits.
const SECRET_BYTES: usize = 32;

/// The sessions there are.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<Hash, Session>>);

type Hash = [u8; 32];

struct Session {
    caller: Caller,
    used: Instant,
}

impl Sessions {
    /// Begins one; gives its secret, in letters that a cookie can hold.
    pub(crate) fn begin(&self, caller: Caller, now: Instant) -> Result<String, getrandom::Error> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.lasts(now));
        while sessions.len() >= SESSIONS_MAX {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash);
            oldest.map(|hash| sessions.remove(&hash));
        }
        sessions.insert(hash(&secret), Session { caller, used: now });
        Ok(secret)
    }

    /// Whose session it is, if it still is one. It is used by this.
    pub(crate) fn caller(&self, secret: &str, now: Instant) -> Option<Caller> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(&hash(secret)).filter(|session| session.lasts(now))?;
        session.used = now;
        Some(session.caller.clone())
    }

    /// Ends one, if there is one.
    pub(crate) fn end(&self, secret: &str) {
        self.lock().remove(&hash(secret));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Hash, Session>> {
        // Whoever died while holding it left it whole: it is changed in single steps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn lasts(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < IDLE_MAX
    }
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Rights;

    fn caller(name: &str) -> Caller {
        Caller { name: name.into(), rights: Rights::View }
    }

    #[test]
    fn a_session_lasts_as_long_as_it_is_used_and_ends_with_its_end() {
        let (sessions, begun) = (Sessions::default(), Instant::now());
        let hour = |hours: u64| begun + Duration::from_secs(hours * 3_600);
        let ada = sessions.begin(caller("ada"), begun).unwrap();
        let eve = sessions.begin(caller("eve"), begun).unwrap();
        assert!(ada.len() == 64 && ada != eve);
        let name = |secret: &str, now| sessions.caller(secret, now).map(|caller| caller.name);
        assert_eq!(name(&ada, hour(11)).as_deref(), Some("ada"));
        assert_eq!(name(&ada, hour(22)).as_deref(), Some("ada"), "it was used since");
        assert_eq!(name(&eve, hour(12)), None, "it was not");
        assert_eq!(name(&ada, hour(34)), None);
        let again = sessions.begin(caller("ada"), hour(34)).unwrap();
        assert_eq!(sessions.lock().len(), 1, "those that are over are kept no longer");
        sessions.end(&again);
        assert_eq!(name(&again, hour(34)), None);
        for wrong in ["", "x", &again[1..], &again.to_uppercase()] {
            assert_eq!(name(wrong, hour(34)), None);
        }
    }

    #[test]
    fn there_are_so_many_and_the_one_not_used_for_longest_makes_room() {
        let (sessions, begun) = (Sessions::default(), Instant::now());
        let at = |place: usize| begun + Duration::from_secs(place as u64);
        let secrets: Vec<String> =
            (0..SESSIONS_MAX).map(|place| sessions.begin(caller("ada"), at(place)).unwrap()).collect();
        assert!(sessions.caller(&secrets[0], at(SESSIONS_MAX)).is_some());
        sessions.begin(caller("eve"), at(SESSIONS_MAX)).unwrap();
        let left: Vec<bool> =
            secrets[..3].iter().map(|secret| sessions.caller(secret, at(SESSIONS_MAX)).is_some()).collect();
        assert_eq!((left, sessions.lock().len()), (vec![true, false, true], SESSIONS_MAX));
    }
}
