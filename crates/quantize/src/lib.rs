//! Networks in few bits: what values do, which integers stand for them, and what that costs.
