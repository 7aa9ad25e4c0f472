"""What signing in says when it cannot be done: the library's rules, in the words of this house."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Accounts by e-mail and password."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This account is closed. Nobody can sign in with it.",
        "cannot_remove_primary_email": "This is the address you sign in with. Make another the first, then remove it.",
        "duplicate_email": "This address is on your account already. Nothing was changed.",
        # One sentence for both, so that nobody learns from it who has an account.
        "email_password_mismatch": "This e-mail and this password do not belong together. You are not signed in.",
        "email_taken": "Another account has this address. Nothing was changed.",
        "enter_current_password": "This is not your password as it is now. Nothing was changed.",
        "incorrect_code": "This code is not the one that counts now. Type the newest one.",
        "incorrect_password": "This is not your password.",
        "invalid_or_expired_key": "This link was used already, or is too old. Ask for another one.",
        "invalid_login": "This e-mail and this password do not belong together. You are not signed in.",
        "invalid_password_reset": "This link was used already, or is too old. Ask for another one.",
        "max_email_addresses": "An account has at most %d addresses. Remove one, then add this one.",
        "too_many_login_attempts": "Too many attempts failed. You are not signed in; try it again in some minutes.",
        "unknown_email": "No account has this address.",
        "unverified_primary_email": "Confirm your address first: open the link in the mail that was sent to it.",
        "select_only_one": "Choose one of them.",
        "same_as_current": "This is what it is already. Nothing was changed.",
        "rate_limited": "So many requests in a short time are not taken. Nothing was changed; try again in a minute.",
    }


class SecondFactorAdapter(DefaultMFAAdapter):
    """The second factor: codes of a program, and codes kept for when it is lost."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": "With a second factor on, no address is added to an account. Take it off first.",
        "cannot_delete_authenticator": "This second factor cannot be taken off.",
        "cannot_generate_recovery_codes": "Recovery codes are for accounts with a second factor. Set one up first.",
        "incorrect_code": "This code is not the one that counts now. Type the newest one your program shows.",
        "unverified_email": "Confirm your address first: open the link in the mail that was sent to it.",
    }
