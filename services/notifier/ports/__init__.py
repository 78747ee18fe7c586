"""What the notifier needs of the outside: something that sends, and can sometimes be asked what it has."""

from services.notifier.ports.port import CalendarPart, Letter, Listed, Port, ProviderText, Query, Sighted

__all__ = ["CalendarPart", "Letter", "Listed", "Port", "ProviderText", "Query", "Sighted"]
