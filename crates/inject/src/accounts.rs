//! Users and groups of an image, as `/etc/passwd` and `/etc/group` have them.

/// Largest user or group number that the kernel's tools agree on.
pub const MAX_ID: u32 = i32::MAX as u32;

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Home directory, as written.
    pub home: String,
}

/// A line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Numeric group.
    pub gid: u32,
}

/// The lines of `/etc/passwd` that name a user.
pub fn users(passwd: &str) -> Vec<Account> {
    passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            let _password = fields.next()?;
            let uid = fields.next()?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            let _comment = fields.next();
            Some(Account {
                name: name.to_owned(),
                uid,
                gid,
                home: fields.next().unwrap_or_default().to_owned(),
            })
        })
        .collect()
}

/// The lines of `/etc/group` that name a group.
pub fn groups(group: &str) -> Vec<Group> {
    group
        .lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            let _password = fields.next()?;
            Some(Group {
                name: name.to_owned(),
                gid: fields.next()?.parse().ok()?,
            })
        })
        .collect()
}
