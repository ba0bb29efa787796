import type { OrderState } from './orders.ts';

type Words = { readonly message: string; readonly nextStep: string };

/** Languages that customers are answered in. */
export const LOCALES = ['en', 'ja'] as const;
export type Locale = (typeof LOCALES)[number];

/** Each state in words for the customer, and what comes next (document 000, state diagram). */
const WORDS: Readonly<Record<Locale, Readonly<Record<OrderState, Words>>>> = {
  en: {
    Placed: {
      message: 'We have received your order.',
      nextStep: 'Payment will be requested next.',
    },
    PaymentPending: {
      message: 'We are waiting for your payment.',
      nextStep: 'Your order is confirmed as soon as the payment arrives, and cancelled if it does not.',
    },
    Confirmed: {
      message: 'Your payment has arrived and your order is confirmed.',
      nextStep: 'The warehouse will pack it next.',
    },
    Packed: {
      message: 'Your order is packed.',
      nextStep: 'It will be handed to the carrier next.',
    },
    Shipped: {
      message: 'Your order is on its way.',
      nextStep: 'The carrier will bring it out for delivery next.',
    },
    OutForDelivery: {
      message: 'Your order is out for delivery.',
      nextStep: 'It will be delivered next.',
    },
    Delivered: {
      message: 'Your order has been delivered.',
      nextStep: 'Nothing more will happen.',
    },
    DeliveryFailed: {
      message: 'Your order could not be delivered.',
      nextStep: 'It will be returned to us next.',
    },
    ReturnInitiated: {
      message: 'Your order is on its way back to us.',
      nextStep: 'The refund will be made once it has been received.',
    },
    Cancelled: {
      message: 'Your order was cancelled.',
      nextStep: 'Nothing more will happen.',
    },
    Refunded: {
      message: 'Your order was refunded.',
      nextStep: 'Nothing more will happen.',
    },
  },
  ja: {
    Placed: {
      message: 'ご注文を承りました。',
      nextStep: '続いてお支払いの手続きに進みます。',
    },
    PaymentPending: {
      message: 'お支払いをお待ちしております。',
      nextStep: 'お支払いの確認後にご注文が確定します。確認できない場合はキャンセルとなります。',
    },
    Confirmed: {
      message: 'お支払いを確認し、ご注文が確定しました。',
      nextStep: '続いて倉庫で梱包いたします。',
    },
    Packed: {
      message: 'ご注文の品を梱包しました。',
      nextStep: '続いて配送業者に引き渡します。',
    },
    Shipped: {
      message: 'ご注文の品を発送しました。',
      nextStep: '続いて配送業者がお届けに向かいます。',
    },
    OutForDelivery: {
      message: 'ご注文の品を配達中です。',
      nextStep: 'まもなくお届けします。',
    },
    Delivered: {
      message: 'ご注文の品をお届けしました。',
      nextStep: 'この後の手続きはありません。',
    },
    DeliveryFailed: {
      message: 'ご注文の品をお届けできませんでした。',
      nextStep: '続いて当店に返送されます。',
    },
    ReturnInitiated: {
      message: 'ご注文の品は当店へ返送中です。',
      nextStep: '当店で受け取り次第、返金いたします。',
    },
    Cancelled: {
      message: 'ご注文はキャンセルされました。',
      nextStep: 'この後の手続きはありません。',
    },
    Refunded: {
      message: 'ご返金が完了しました。',
      nextStep: 'この後の手続きはありません。',
    },
  },
};

const TRAVELLING: ReadonlySet<OrderState> = new Set(['Shipped', 'OutForDelivery']);

/** `eta`: estimated delivery, ISO 8601, when the carrier has named one. */
export function wordsFor(state: OrderState, eta: string | null, locale: Locale = 'en'): Words {
  const { message, nextStep } = WORDS[locale][state];
  return eta !== null && TRAVELLING.has(state)
    ? { message, nextStep: `${nextStep}${ESTIMATE[locale](eta)}` }
    : { message, nextStep };
}

const ESTIMATE: Readonly<Record<Locale, (eta: string) => string>> = {
  en: (eta) => ` Estimated delivery: ${eta}.`,
  ja: (eta) => `お届け予定日時：${eta}。`,
};

/** One order in a sentence. */
export function sentenceFor(orderId: string, words: readonly string[], locale: Locale = 'en'): string {
  return locale === 'ja' ? `ご注文 ${orderId}：${words.join('')}` : `Order ${orderId}: ${words.join(' ')}`;
}
