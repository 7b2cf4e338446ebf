//! What somebody agreed to be done, or taken back, and when that can be.
//!
//! The ledger and the rules change together, in one transaction of the control loop, or neither does. What is done can be taken back
//! exactly: it is refused unless what its undo sets is what holds. That is also what it was proved against.

use control::{Control, Refused, Rule};
use store::{Consent, ConsentId, Deed};

/// What somebody agreed to.
#[derive(Debug)]
pub struct Agreement {
    /// What the ledger is told.
    pub deed: Deed,
    /// What is set.
    pub rules: Vec<Rule>,
    /// What must hold until then.
    pub before: Vec<Rule>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAgreed {
    /// It was done before, under this consent.
    Applied(ConsentId),
    /// What it would set holds already.
    Holds,
    /// What holds is not what it was proved against.
    Changed,
    /// There is no such consent.
    Unknown(ConsentId),
    /// It was taken back before.
    TakenBack,
    /// What it would set cannot be set.
    Refused(Refused),
}

impl Agreement {
    /// Whether it can be done, given all consents and how things stand.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, consents: &[Consent], control: &Control) -> Result<(), NotAgreed> {
        match &self.deed {
            Deed::Agreed { to, .. } => match in_force(consents, &to.id) {
                Some(consent) => Err(NotAgreed::Applied(consent.id)),
                None if control.holds(&self.rules) => Err(NotAgreed::Holds),
                None if !control.holds(&self.before) => Err(NotAgreed::Changed),
                None => Ok(()),
            },
            Deed::TakenBack { consent, .. } => match consents.iter().find(|known| known.id == *consent) {
                None => Err(NotAgreed::Unknown(*consent)),
                Some(consent) if consent.undone.is_some() => Err(NotAgreed::TakenBack),
                Some(_) => Ok(()),
            },
        }
    }
}

/// The consent under which a recommendation was applied and not taken back.
pub(crate) fn in_force<'a>(consents: &'a [Consent], recommendation: &str) -> Option<&'a Consent> {
    consents.iter().rfind(|consent| consent.undone.is_none() && consent.recommendation.id == recommendation)
}

#[cfg(test)]
mod tests {
    use control::Past;
    use fleet::history::QueueRecord;
    use fleet::recommendation::Recommendation;
    use fleet::time::Timestamp;

    use super::*;
    use crate::made::recommendation;

    const CONSENT: ConsentId = ConsentId(4);

    fn narrow(limit_running: Option<u32>) -> Vec<Rule> {
        vec![Rule::Queue(Box::new(QueueRecord { name: "narrow".into(), limit_running, ..QueueRecord::default() }))]
    }

    fn consent(undone: bool) -> Consent {
        let (recommendation, at) = (Recommendation { id: "widen".into(), ..recommendation() }, Timestamp(1));
        let undone = undone.then(|| (Timestamp(2), "bob".to_owned()));
        Consent { id: CONSENT, recommendation, who: "ada".into(), at, undone }
    }

    /// With a queue that may run so many at once.
    fn check(limit: u32, consents: &[Consent], deed: Deed, expected: Result<(), NotAgreed>) {
        let queues = vec![QueueRecord { name: "narrow".into(), limit_running: Some(limit), ..QueueRecord::default() }];
        let control = Control::restore(Past { queues, ..Past::default() }, Vec::new(), Timestamp(3));
        let before = if matches!(deed, Deed::Agreed { .. }) { narrow(Some(1)) } else { Vec::new() };
        let agreement = Agreement { deed, rules: narrow(Some(8)), before };
        assert_eq!(agreement.check(consents, &control), expected);
    }

    #[test]
    fn what_is_done_is_done_once_and_can_be_taken_back_exactly() {
        let agreed = || Deed::Agreed { to: Box::new(consent(false).recommendation), by: "ada".into() };
        check(1, &[], agreed(), Ok(()));
        check(1, &[consent(true)], agreed(), Ok(()));
        check(1, &[consent(false)], agreed(), Err(NotAgreed::Applied(CONSENT)));
        check(8, &[], agreed(), Err(NotAgreed::Holds));
        check(2, &[], agreed(), Err(NotAgreed::Changed));
        let back = |consent| Deed::TakenBack { consent, by: "ada".into() };
        check(2, &[consent(false)], back(CONSENT), Ok(()));
        check(2, &[consent(true)], back(CONSENT), Err(NotAgreed::TakenBack));
        check(2, &[consent(false)], back(ConsentId(5)), Err(NotAgreed::Unknown(ConsentId(5))));
    }
}
